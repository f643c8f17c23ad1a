#!/bin/bash
# A phone, a gateway on which `dyetrace live` takes what the firewall redirects, and a server behind it, each in a
# network namespace of its own.
#
#   play.sh redirect4|redirect6|tproxy4 CASE CERTIFICATE KEY VALUE
#
# CASE has one run called first; CERTIFICATE and KEY are the server's (api.example.test), and its authority is
# CASE/server-ca.pem. The phone asks for a page with VALUE in its address, through whatever the gateway does, and
# once more when the recording has ended: that must fail. DYETRACE names the program.
set -euo pipefail
how=$1 case=$2 certificate=$3 key=$4 value=$5

source "$(dirname "$0")/places.sh"

case $how in
    redirect4) listen=10.9.1.1:9001 client=10.9.1.2 server=10.9.2.2
        nft 'table inet t { chain in { type nat hook prerouting priority dstnat; iifname "phone0" meta nfproto ipv4 meta l4proto tcp redirect to :9001; }; chain forwarded { type filter hook forward priority filter; iifname "phone0" drop; }; }' ;;
    redirect6) listen='[fd00:9:1::1]:9001' client=fd00:9:1::2 server=fd00:9:2::2
        nft 'table inet t { chain in { type nat hook prerouting priority dstnat; iifname "phone0" meta nfproto ipv6 meta l4proto tcp redirect to :9001; }; chain forwarded { type filter hook forward priority filter; iifname "phone0" drop; }; }' ;;
    tproxy4) listen=10.9.1.1:9001 client=10.9.1.2 server=10.9.2.2
        ip rule add fwmark 1 lookup 100
        ip route add local 0.0.0.0/0 dev lo table 100
        nft 'table inet t { chain in { type filter hook prerouting priority mangle; iifname "phone0" meta nfproto ipv4 meta l4proto tcp tproxy ip to 10.9.1.1:9001 meta mark set 1; }; chain forwarded { type filter hook forward priority filter; iifname "phone0" drop; }; }' ;;
esac

at=$server; [[ $server == *:* ]] && at="[$server]"
enter server openssl s_server -accept "$at:443" -cert "$certificate" -key "$key" -www -quiet > "$case/server.txt" 2>&1 &
"$DYETRACE" live "$case" --lan phone0 --listen 10.9.1.1:0 --redirected "$listen" --client "$client" \
    --server-ca "$case/server-ca.pem" --format jsonl > "$case/live.jsonl" 2> "$case/live.txt" &
live=$!
until grep -q 'marks:' "$case/live.txt" 2>/dev/null; do
    kill -0 $live 2>/dev/null || { cat "$case/live.txt" >&2; exit 1; }
    sleep 0.05
done
until within server sh -c 'ss -ltn 2>/dev/null | grep -q :443 || cat /proc/net/tcp /proc/net/tcp6 | grep -q ":01BB 0"'; do sleep 0.05; done

ask() {
    within phone curl -sS --max-time "$1" --cacert "$case/live/ca.pem" --resolve "api.example.test:443:$at" -o "$case/page.html" \
        "https://api.example.test/?p=$value"
}
ask 10
kill -INT $live
wait $live
# With nobody to redirect to, the connection fails: nothing goes around the recording.
if ask 2 2>/dev/null; then
    echo 'the phone got through without being recorded' >&2
    exit 1
fi
