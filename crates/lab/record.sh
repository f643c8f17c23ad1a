#!/bin/bash
# Plays the first story with one plug in network namespaces and records what is in the air with tcpdump.
#
#   record.sh reported|promised older|newer FOLDER
#
# writes FOLDER/evidence/PLUG.pcapng (with the phone's TLS keys inside; as promised also the plug's),
# FOLDER/evidence/marks/PLUG.jsonl, FOLDER/subject.yaml and FOLDER/manifest-sha256.txt. Existing ones
# are replaced. Needs tcpdump, iproute2, util-linux and tshark's mergecap and editcap, and either root
# or unprivileged user namespaces. DYETRACE_LAB names the lab's program, else cargo builds it;
# DYETRACE_LAB_QUIET_S says how many seconds the app is left alone at the end (60).
set -euo pipefail

usage="say: record.sh reported|promised older|newer FOLDER"
build=${1:?$usage}
plug=${2:?$usage}
folder=${3:?$usage}

if [ -z "${DYETRACE_LAB_INSIDE:-}" ]; then
    here=$(cd "$(dirname "$0")" && pwd)
    if [ -z "${DYETRACE_LAB:-}" ]; then
        (cd "$here" && cargo build --quiet)
        DYETRACE_LAB=$(cd "$here" && cargo metadata --format-version 1 --no-deps |
            sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug/dyetrace-lab
    fi
    export DYETRACE_LAB DYETRACE_LAB_INSIDE=1
    # Root needs only a network of its own. Anybody else gets their capabilities from a user
    # namespace, under their own name: tcpdump run by a root that is not real cannot drop to its user.
    if unshare --net true 2>/dev/null; then
        exec unshare --net --kill-child "$0" "$build" "$plug" "$folder"
    fi
    exec unshare --user --map-current-user --keep-caps --net --kill-child "$0" "$build" "$plug" "$folder"
fi

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

# One bridge for each Wi-Fi network: the home's, and the access point of the plug.
for air in home setup; do
    ip link add "air-$air" type bridge
    ip link set "air-$air" up
done

# place NAME: a network namespace, kept open by a sleeping process.
declare -A holder
place() {
    unshare --net sleep 600 &
    holder[$1]=$!
    until [ "$(readlink "/proc/$!/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
    within "$1" ip link set lo up
}
# --preserve-credentials: a user namespace of one user cannot become its root. `enter … &` makes the
# program itself the job, so that it ends with the others; within a subshell it would be left behind.
enter() { exec nsenter --preserve-credentials --net --target "${holder[$1]}" "${@:2}"; }
within() { (enter "$@"); }

# join NAME AIR DEVICE MAC ADDRESS: one network card.
join() {
    ip link add "$1-$3" type veth peer name "$3" address "$4" netns "${holder[$1]}"
    ip link set "$1-$3" master "air-$2" up
    within "$1" ip address add "$5" broadcast + dev "$3"
    # No segment larger than what would go through the air.
    within "$1" ip link set "$3" gso_max_segs 1 up
}

for name in phone plug cloud; do place "$name"; done
join phone home wlan0 02:6f:14:88:d2:31 10.24.7.21/24
if [ "$plug" = older ]; then
    join phone setup setup0 02:6f:14:88:d2:32 192.168.4.2/24
    join plug setup ap0 56:a9:24:f6:50:a6 192.168.4.1/24
    join plug home wlan0 56:a9:24:f6:50:a7 10.24.7.31/24
else
    join phone setup setup0 02:6f:14:88:d2:33 192.168.5.2/24
    join plug setup ap0 8e:2f:9d:72:42:41 192.168.5.1/24
    join plug home wlan0 8e:2f:9d:72:42:40 10.24.7.32/24
fi
# The home's router and the Internet behind it are one place: nothing between them is recorded.
join cloud home lan0 02:00:5e:10:00:01 10.24.7.1/24
for name in phone plug; do within "$name" ip route add default via 10.24.7.1; done

# internet connected|cut-off: the router has a way to the Internet's addresses, or none; what is sent
# there all the same is dropped without an answer, after it was recorded.
cat >"$work/internet" <<END
#!/bin/bash
set -eu
case \$1 in connected) change=add ;; cut-off) change=del ;; esac
for address in 198.51.100.10 198.51.100.12 198.51.100.53 203.0.113.20; do
    nsenter --preserve-credentials --net --target ${holder[cloud]} ip address \$change "\$address/32" dev lo
done
END
chmod +x "$work/internet"
"$work/internet" connected

recorders=()
for air in home setup; do
    # A real tcpdump, as it starts in every tutorial; -U so that nothing is lost when it is stopped.
    tcpdump -i "air-$air" -U -w - --time-stamp-precision=nano >"$work/$air.pcap" 2>"$work/$air.log" &
    recorders+=($!)
done
for air in home setup; do
    for _ in $(seq 250); do [ -s "$work/$air.pcap" ] && break; sleep 0.02; done
    [ -s "$work/$air.pcap" ] || { cat "$work/$air.log" >&2; exit 1; }
done

enter cloud "$DYETRACE_LAB" cloud "$work/ca.pem" &
for _ in $(seq 250); do [ -s "$work/ca.pem" ] && break; sleep 0.02; done
# As promised, the maker has opened the plug for the test: it leaves its keys. As reported, nobody helps.
if [ "$build" = promised ]; then
    SSLKEYLOGFILE="$work/plug-keys.txt" enter plug "$DYETRACE_LAB" device "$plug" "$work/ca.pem" &
else
    enter plug "$DYETRACE_LAB" device "$plug" "$work/ca.pem" &
fi
sleep 0.3
SSLKEYLOGFILE="$work/phone-keys.txt" within phone \
    "$DYETRACE_LAB" app "$build" "$plug" "$work/ca.pem" "$work/marks.jsonl" "$work/internet"
sleep 0.3
kill -INT "${recorders[@]}"
wait "${recorders[@]}" || true
if grep -qs "^[1-9][0-9]* packets dropped by kernel" "$work"/*.log; then
    echo "record.sh: tcpdump dropped packets; record again" >&2
    exit 1
fi

cat "$work"/*-keys.txt >"$work/keys.txt"
mergecap -I none -w "$work/all.pcapng" "$work/home.pcap" "$work/setup.pcap"
editcap --inject-secrets "tls,$work/keys.txt" "$work/all.pcapng" "$work/app.pcapng" >/dev/null
mkdir -p "$folder/evidence/marks"
cd "$folder"
keep() { rm -f "$2"; cp "$1" "$2"; chmod 0444 "$2"; }
keep "$work/app.pcapng" "evidence/$plug.pcapng"
keep "$work/marks.jsonl" "evidence/marks/$plug.jsonl"
"$DYETRACE_LAB" subject >subject.yaml
find evidence -type f | LC_ALL=C sort | xargs sha256sum >manifest-sha256.txt
