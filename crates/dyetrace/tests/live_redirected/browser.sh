#!/bin/bash
# A browser that knows HTTP/3, behind a gateway on which `dyetrace live` takes what the firewall redirects.
#
#   browser.sh CASE CERTIFICATE KEY
#
# As play.sh; PYTHON names an interpreter that has aioquic. The browser first opens the pages before1 and before2 with
# nothing in between, by HTTP/3, and with the same profile behind1 and behind2 through the gateway. CASE/server.txt says
# how each was asked for, CASE/page-….html what the browser made of it.
set -euo pipefail
case=$1 certificate=$2 key=$3
source "$(dirname "$0")/places.sh"

echo 'nameserver 10.9.2.2' > "$case/resolv.conf"
mount --bind "$case/resolv.conf" /etc/resolv.conf
export HOME=$case/home
mkdir -p "$HOME/.pki/nssdb"
trusts() { certutil -d "sql:$HOME/.pki/nssdb" "$@"; }
trusts -N --empty-password
trusts -A -n own -t C,, -i "$case/server-ca.pem"

enter server "$PYTHON" "$(dirname "$0")/http3_server.py" 10.9.2.2 "$certificate" "$key" > "$case/server.txt" 2>&1 &
server=$!
until grep -q ready "$case/server.txt"; do
    kill -0 $server 2>/dev/null || { cat "$case/server.txt" >&2; exit 1; }
    sleep 0.1
done

open() {
    within phone timeout 60 chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
        --user-data-dir="$case/profile" --virtual-time-budget=3000 "${@:2}" --dump-dom "https://api.example.test/$1" \
        > "$case/page-$1.html" 2> "$case/chromium-$1.txt"
}
# Chromium speaks QUIC only to servers whose authority is well known, or with this word.
open before1 --origin-to-force-quic-on=api.example.test:443
open before2 --origin-to-force-quic-on=api.example.test:443

"$DYETRACE" live "$case" --lan phone0 --listen 10.9.1.1:0 --redirected 10.9.1.1:9001 --names 10.9.1.1:9053 --dns 10.9.2.2 \
    --client 10.9.1.2 --server-ca "$case/server-ca.pem" --format jsonl > "$case/live.jsonl" 2> "$case/live.txt" &
live=$!
until grep -q 'marks:' "$case/live.txt" 2>/dev/null; do
    kill -0 $live 2>/dev/null || { cat "$case/live.txt" >&2; exit 1; }
    sleep 0.05
done
trusts -A -n case -t C,, -i "$case/live/ca.pem"
"$DYETRACE" live doctor "$case" --firewall phone0 > "$case/rules.txt"
sed '/^# Undo/,$d' "$case/rules.txt" | bash
open behind1
open behind2
kill -INT $live
wait $live
