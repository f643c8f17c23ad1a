// The page's half of docs/check.md. All that is secret happens in page.wasm, in this browser.
"use strict";

const chinese = (new URLSearchParams(location.search).get("lang") || navigator.language).toLowerCase().startsWith("zh");
const words = chinese ? {
  wait: "正在查询……", none: "不在此服务出示的索引中。", found: "在以下泄露中：", nothing: "没有已命名的字段", broken: "没有得到可信的回答：",
  slow: "查询过多，请稍后再试。", token: "验证码无效。", unbuilt: "此服务器没有安装本页面的程序；请使用 dyetrace breach check。",
  empty: "请输入内容。", long: "内容过长。", email: "邮箱地址形如 name@example.org。", phone: "电话号码有 7 至 15 位数字。",
  country: "请以 + 和国家代码开头。", resident: "身份证号有 18 位，或 15 位数字。", check: "最后一位与其他位不符。", qq: "QQ 号有 5 至 11 位数字。",
} : {
  wait: "Asking …", none: "Not in the index that this service showed.", found: "It is in:", nothing: "no field that has a name",
  broken: "There is no answer that can be trusted: ", slow: "Too much was asked. Wait a little and try again.", token: "The token is not good.",
  unbuilt: "The program of this page is not installed here; dyetrace breach check does the same in a terminal.",
  empty: "Type something.", long: "This is too long.", email: "An e-mail address looks like name@example.org.",
  phone: "A telephone number has 7 to 15 digits.", country: "Begin with + and the number of the country.",
  resident: "A resident ID has 18 characters, or 15 digits.", check: "The last character does not fit the others.",
  qq: "A QQ number has 5 to 11 digits.",
};
const at = id => document.getElementById(id);
const encoder = new TextEncoder();
const decoder = new TextDecoder();
let program;
let service = { proof_of_control: false };
let manifest;

// Bytes go in and out one by one: no memory is shared, so nothing can be read beyond what was given.
function run(step, ...parts) {
  program.begin();
  for (const part of parts) {
    for (const byte of part) program.put(byte);
    program.part();
  }
  program.run(step);
  const bytes = new Uint8Array(program.length());
  for (let place = 0; place < bytes.length; place++) bytes[place] = program.take(place);
  return JSON.parse(decoder.decode(bytes));
}

async function load(path, options) {
  const answer = await fetch(path, { cache: "no-store", credentials: "omit", ...options });
  if (answer.status === 429) throw { said: words.slow };
  if (answer.status === 401 || answer.status === 403) throw { said: words.token };
  if (!answer.ok) throw { said: words.broken + answer.status };
  return answer;
}

async function start() {
  const wasm = await fetch("/page.wasm");
  if (!wasm.ok) throw { said: words.unbuilt };
  program = (await WebAssembly.instantiate(await wasm.arrayBuffer(), {})).instance.exports;
  service = await (await load("/v1/service")).json();
  manifest = encoder.encode(await (await load("/v1/manifest")).text());
  at("proof").hidden = !service.proof_of_control;
  const about = run(0, manifest);
  if (about.problem) throw { said: words.broken + about.problem };
  at("k").textContent = about.k;
  at("signer").textContent = about.signer;
}

async function ask() {
  const random = crypto.getRandomValues(new Uint8Array(64));
  const question = run(1, manifest, encoder.encode(at("kind").value), encoder.encode(at("value").value), random);
  random.fill(0);
  if (question.wrong) throw { wrong: words[question.wrong] || question.wrong };
  if (question.problem) throw { said: words.broken + question.problem };
  const headers = service.proof_of_control ? { "Proof-Token": at("token").value } : {};
  // The length of a request can be seen through TLS; it must say nothing of the bucket.
  const number = String(question.bucket).padStart(7, "0");
  const body = { elements: [question.element] };
  if (service.proof_of_control) body.bucket = number;
  const evaluated = await load("/v1/evaluate", { method: "POST", headers, body: JSON.stringify(body) });
  const bucket = await load("/v1/buckets/" + number, { headers });
  return run(2, new Uint8Array(await evaluated.arrayBuffer()), new Uint8Array(await bucket.arrayBuffer()));
}

function show(answer) {
  const place = at("answer");
  place.replaceChildren();
  const add = (parent, name, text) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    return parent.appendChild(element);
  };
  if (answer.problem) return add(place, "p", words.broken + answer.problem);
  if (answer.exposures.length === 0) return add(place, "p", words.none);
  add(place, "p", words.found);
  const list = add(place, "ul");
  for (const exposure of answer.exposures) {
    const date = exposure.date ? " (" + exposure.date + ")" : "";
    add(list, "li", exposure.name + date + ": " + (exposure.fields.join(", ") || words.nothing));
  }
}

async function submit(event) {
  event.preventDefault();
  at("wrong").textContent = "";
  at("value").removeAttribute("aria-invalid");
  at("answer").textContent = words.wait;
  try {
    show(await ask());
  } catch (problem) {
    at("answer").textContent = problem.wrong ? "" : problem.said || words.broken + problem;
    if (problem.wrong) {
      at("wrong").textContent = problem.wrong;
      at("value").setAttribute("aria-invalid", "true");
      at("value").focus();
    }
  }
}

if (chinese) {
  document.documentElement.lang = "zh";
  for (const element of document.querySelectorAll("[data-zh]")) element.textContent = element.dataset.zh;
  document.title = at("form").parentElement.querySelector("h1").textContent;
}
const ready = start();
ready.then(() => { document.body.dataset.ready = "yes"; }, problem => { at("answer").textContent = problem.said || String(problem); });
at("form").addEventListener("submit", event => {
  event.preventDefault();
  ready.then(() => submit(event), () => {});
});
