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

declare -A holder
place() {
    unshare --net sleep 120 &
    holder[$1]=$!
    until [ "$(readlink "/proc/$!/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
    within "$1" ip link set lo up
}
# `enter … &` makes the program itself the job, so that it ends with the others.
enter() { exec nsenter --net --target "${holder[$1]}" "${@:2}"; }
within() { (enter "$@"); }
trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null || true' EXIT

# link PLACE DEVICE SUBNET: a cable between a place and the gateway, which is this namespace.
link() {
    ip link add "$2" type veth peer name eth0 netns "${holder[$1]}"
    ip address add "10.9.$3.1/24" dev "$2"
    ip -6 address add "fd00:9:$3::1/64" dev "$2" nodad
    ip link set "$2" up
    within "$1" ip address add "10.9.$3.2/24" dev eth0
    within "$1" ip -6 address add "fd00:9:$3::2/64" dev eth0 nodad
    within "$1" ip link set eth0 up
    within "$1" ip route add default via "10.9.$3.1"
    within "$1" ip -6 route add default via "fd00:9:$3::1"
}

ip link set lo up
place phone
place server
link phone phone0 1
link server server0 2
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv6/conf/all/forwarding

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
