#!/bin/bash
# Plays one run of a story in network namespaces and records what is in the air with tcpdump.
#
#   record.sh STORY EDITION RUN FOLDER        such as: record.sh story1 reported older my-folder
#
# writes FOLDER/evidence/RUN.pcapng (with the phone's TLS keys inside, and those of opened devices),
# FOLDER/evidence/marks/RUN.jsonl, FOLDER/server-truth/RUN.jsonl (what the servers say arrived),
# FOLDER/subject.yaml and FOLDER/manifest-sha256.txt; of story 4 also FOLDER/gallery/ and the app's
# folder at three moments, FOLDER/evidence/RUN-files-N.tar. Existing ones are replaced. Needs tcpdump,
# iproute2, util-linux and tshark's mergecap and editcap, and either root or unprivileged user
# namespaces. DYETRACE_LAB names the lab's program, else cargo builds it; DYETRACE_LAB_QUIET_S says
# how many seconds the product is left alone at the end (60), DYETRACE_LAB_TIMES how often each
# thing is done (3).
#
# A second recorder, to be held against the first: DYETRACE_LIVE names the dyetrace program and
# DYETRACE_LIVE_CASE a case folder that knows the run. `dyetrace live` then runs on the gateway as the
# proxy in the phone's settings, the phone trusts its authority too, and that folder gets its journal.
# Where it is the same folder, the journal is the recording, and what tcpdump recorded is thrown away.
#
# The stage:   phone ─┐
#              device ┼─ gateway (the home's Wi-Fi and router) ── cloud (the Internet, with DNS)
#              device ┘
# tcpdump runs on the gateway's Wi-Fi, so it sees what passes within the home and what leaves it;
# another one on each further Wi-Fi network, such as the access point of a device.
set -euo pipefail

usage="say: record.sh STORY EDITION RUN FOLDER"
story=${1:?$usage}
edition=${2:?$usage}
run=${3:?$usage}
folder=${4:?$usage}

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
        exec unshare --net --kill-child "$0" "$@"
    fi
    exec unshare --user --map-current-user --keep-caps --net --kill-child "$0" "$@"
fi

lab=$DYETRACE_LAB
cast=$("$lab" cast "$story" "$edition" "$run")
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

# place NAME: a network namespace, kept open by a sleeping process.
declare -A holder
place() {
    unshare --net sleep 1200 &
    holder[$1]=$!
    until [ "$(readlink "/proc/$!/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
    within "$1" ip link set lo up
}
# --preserve-credentials: a user namespace of one user cannot become its root. `enter … &` makes the
# program itself the job, so that it ends with the others; within a subshell it would be left behind.
enter() { exec nsenter --preserve-credentials --net --target "${holder[$1]}" "${@:2}"; }
within() { (enter "$@"); }

# An air is a bridge: the home's in the gateway, any other in a place of its own.
air_place() { [ "$1" = home ] && echo gateway || echo "$1-air"; }
air() {
    local at
    at=$(air_place "$1")
    [ -n "${holder[$at]:-}" ] || place "$at"
    within "$at" ip link add "air-$1" type bridge
    within "$at" ip link set "air-$1" up
    airs+=("$1")
}

# wire PLACE DEVICE PLACE DEVICE: a cable.
wire() {
    ip link add "$2" netns "${holder[$1]}" type veth peer name "$4" netns "${holder[$3]}"
    for end in "$1 $2" "$3 $4"; do
        read -r at device <<<"$end"
        # No segment larger than what would go through the air.
        within "$at" ip link set "$device" gso_max_segs 1 up
    done
}

# card PLACE AIR DEVICE MAC ADDRESS: a network card in a Wi-Fi network.
cards=0
card() {
    local at
    [ -n "${holder[$1]:-}" ] || place "$1"
    at=$(air_place "$2")
    cards=$((cards + 1))
    wire "$1" "$3" "$at" "port$cards"
    within "$1" ip link set "$3" address "$4"
    within "$1" ip address add "$5" broadcast + dev "$3"
    within "$at" ip link set "port$cards" master "air-$2"
    [ "$2" != home ] || within "$1" ip route add default via 10.24.7.1
}

# The gateway is the home's router and its access point; behind it is the Internet.
airs=()
place gateway
place cloud
air home
within gateway ip link set air-home address 02:00:5e:10:00:01
within gateway ip address add 10.24.7.1/24 broadcast + dev air-home
wire gateway wan0 cloud lan0
within gateway ip address add 192.0.2.1/30 dev wan0
within cloud ip address add 192.0.2.2/30 dev lan0
within cloud ip route add 10.24.7.0/24 via 192.0.2.1
within gateway sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
for address in $("$lab" addresses); do within cloud ip address add "$address/32" dev lo; done

# internet connected|cut-off: the router has a way to the Internet, or the cable is out and it drops what is
# sent there without an answer, after it was recorded.
cat >"$work/internet" <<END
#!/bin/bash
set -eu
case \$1 in connected) state=up way="default via 192.0.2.2" ;; cut-off) state=down way="blackhole default" ;; esac
exec nsenter --preserve-credentials --net --target ${holder[gateway]} sh -c "
    ip link set wan0 \$state; ip route flush exact 0.0.0.0/0; ip route add \$way"
END
chmod +x "$work/internet"
"$work/internet" connected

# collect FOLDER EXHIBIT: the files of the app as they are, with their times to the nanosecond. They belong to the
# app's user, as on the phone.
mkdir "$work/evidence"
cat >"$work/collect" <<END
#!/bin/bash
exec tar --format=pax --sort=name --owner=u0_a87:10087 --group=u0_a87:10087 -C "\$1" -cf "$work/\$2" .
END
chmod +x "$work/collect"

devices=() keys=() packed= gallery=
while read -r word one rest; do
    case $word in
    air) air "$one" ;;
    card) card "$one" $rest ;;
    device) devices+=("$one $rest") ;;
    keys) keys+=("$one") ;;
    packed) packed=.gz ;;
    gallery) gallery=yes ;;
    esac
done <<<"$cast"

# planted CASE: what the subject has.
planted() {
    "$lab" subject "$story" >"$1/subject.yaml"
    [ -z "$gallery" ] || "$lab" gallery "$1"
}

recorders=()
for air in "${airs[@]}"; do
    # A real tcpdump, as it starts in every tutorial; -U so that nothing is lost when it is stopped.
    enter "$(air_place "$air")" tcpdump -i "air-$air" -U -w - --time-stamp-precision=nano \
        >"$work/$air.pcap" 2>"$work/$air.log" &
    recorders+=($!)
done
for air in "${airs[@]}"; do
    for _ in $(seq 250); do [ -s "$work/$air.pcap" ] && break; sleep 0.02; done
    [ -s "$work/$air.pcap" ] || { cat "$work/$air.log" >&2; exit 1; }
done

enter cloud "$lab" cloud "$work" &
for _ in $(seq 250); do [ -s "$work/ca.pem" ] && break; sleep 0.02; done
for device in "${devices[@]}"; do
    read -r at name opened <<<"$device"
    if [ "$opened" = opened ]; then
        SSLKEYLOGFILE="$work/$name-keys.txt" enter "$at" "$lab" device "$name" "$work" &
    else
        enter "$at" "$lab" device "$name" "$work" &
    fi
done
cp "$work/ca.pem" "$work/trusted.pem"
if [ -n "${DYETRACE_LIVE:-}" ]; then
    second=${DYETRACE_LIVE_CASE:?names a case folder}
    if [ "$second" -ef "$folder" ]; then
        # The proxy refuses to write over a recording, and reads what it looks for.
        is_recording=yes
        rm -f "$second/evidence/$run.pcapng"
        planted "$second"
    fi
    export DYETRACE_LAB_PROXY=10.24.7.1:8080
    enter gateway "$DYETRACE_LIVE" live "$second" --run "$run" --listen "$DYETRACE_LAB_PROXY" --lan air-home \
        --client 10.24.7.21 --server-ca "$work/ca.pem" --format lines >"$work/live.log" 2>&1 &
    live=$!
    for _ in $(seq 250); do within phone bash -c \
        "exec 3<>/dev/tcp/${DYETRACE_LAB_PROXY/:/\/}" 2>/dev/null && break; sleep 0.04; done
    cat "$second/live/ca.pem" >>"$work/trusted.pem" || { cat "$work/live.log" >&2; exit 1; }
fi
sleep 0.3
SSLKEYLOGFILE="$work/phone-keys.txt" within phone "$lab" phone "$story" "$edition" "$run" "$work"
sleep 0.3
[ -z "${live:-}" ] || { kill -INT "$live"; wait "$live" || true; }
kill -INT "${recorders[@]}"
wait "${recorders[@]}" || true
if grep -qs "^[1-9][0-9]* packets dropped by kernel" "$work"/*.log; then
    echo "record.sh: tcpdump dropped packets; record again" >&2
    exit 1
fi

cat "$work"/*-keys.txt >"$work/keys.txt"
(cd "$work" && mergecap -I none -w all.pcapng "${airs[@]/%/.pcap}")
editcap --inject-secrets "tls,$work/keys.txt" "$work/all.pcapng" "$work/run.pcapng" >/dev/null
mkdir -p "$folder/evidence/marks" "$folder/server-truth"
cd "$folder"
# Several runs may be recorded into one folder at the same time.
exec 9<. && flock 9
keep() { rm -f "$2"; cp "$1" "$2"; chmod 0444 "$2"; }
[ -z "$packed" ] || gzip -9n "$work/run.pcapng"
if [ -z "${is_recording:-}" ]; then
    keep "$work/run.pcapng$packed" "evidence/$run.pcapng$packed"
else
    chmod 0444 "evidence/$run.pcapng"
    # The authority of this recording; its key is of no use to anybody.
    rm -rf live
fi
for file in "$work"/evidence/*; do [ ! -e "$file" ] || keep "$file" "evidence/${file##*/}"; done
keep "$work/marks.jsonl" "evidence/marks/$run.jsonl"
keep "$work/truth.jsonl" "server-truth/$run.jsonl"
for file in "${keys[@]}"; do mkdir -p keys && "$lab" keys "$file" >"keys/$file"; done
planted .
find evidence server-truth -type f | LC_ALL=C sort | xargs sha256sum >manifest-sha256.txt
