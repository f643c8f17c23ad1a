// value-searcher (github.com/stevenwdv/value-searcher) on what `wrapped --keep FOLDER` wrote.
//
//     node value_searcher.mjs FOLDER PATH/TO/valueSearcher.js [EVERY]
//
// It is not on npm: compile its checkout with `npx tsc` first. It is slow, so only one request in
// EVERY (97 by default) is shown to it, head and body together and, as it does not read HTTP, the
// body and each field's value on their own too. Prints a row of the table.
import {readFileSync, readdirSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';

const [folder, module, every = '97'] = process.argv.slice(2);
const {ValueSearcher} = await import(pathToFileURL(resolve(module)).href);
const read = name => JSON.parse(readFileSync(join(folder, name)));

async function searcher(values) {
  const made = new ValueSearcher();
  for (const {value} of values) await made.addValue(Buffer.from(value));
  return made;
}

/** The request line's target, each field's value, and the body. */
function parts(request) {
  const end = request.indexOf('\r\n\r\n');
  const [line, ...fields] = request.subarray(0, end).toString('latin1').split('\r\n');
  const values = fields.map(field => field.slice(field.indexOf(':') + 2));
  return [line.split(' ')[1], ...values].map(text => Buffer.from(text, 'latin1')).concat([request.subarray(end + 4)]);
}

async function found(made, request) {
  for (const part of parts(request))
    if (part.length && await made.findValueIn(part, 3).catch(() => null)) return true;
  return false;
}

async function speed(made, name) {
  const content = readFileSync(join(folder, 'speed', name)).subarray(0, 1 << 16);
  const start = process.cpuUsage();
  await made.findValueIn(content, 3).catch(() => null);
  const {user, system} = process.cpuUsage(start);
  return content.length / (user + system);
}

const values = read('values.json');
const long = await searcher(values.filter(({kind}) => kind !== 'pin'));
const cases = readFileSync(join(folder, 'cases.jsonl'), 'utf8').trim().split('\n').map(line => JSON.parse(line))
  .filter(({datum}) => datum !== 'pin').filter((_, at) => at % Number(every) === 0);
let hits = 0;
for (const {file} of cases) hits += await found(long, readFileSync(join(folder, file)));
let wrong = 0, bytes = 0;
for (const file of readdirSync(join(folder, 'background')).sort().slice(0, 200)) {
  const request = readFileSync(join(folder, 'background', file));
  bytes += request.length;
  wrong += await found(long, request);
}
const pin = await searcher(values.filter(({kind}) => kind === 'pin'));
let accused = 0;
const pins = readdirSync(join(folder, 'pins')).sort().slice(0, 100);
for (const file of pins) accused += await found(pin, readFileSync(join(folder, 'pins', file)));
const many = await searcher(read('many.json').filter(({kind}) => kind !== 'pin'));
const speeds = [await speed(many, 'text'), await speed(many, 'runs')].map(rate => rate.toFixed(3));
console.log(`| value-searcher (${cases.length} requests; ${(bytes / 1e6).toFixed(1)} MB; ${pins.length} for the PIN) ` +
  `| ${(100 * hits / cases.length).toFixed(1)} % | ${(wrong * 1e8 / bytes).toFixed(1)} | ${accused} of ${pins.length} | ${speeds.join(' | ')} |`);
