# Network namespaces for a phone, a server and the gateway between them, which is the namespace of the shell that reads
# this file. Programs of a place end with the shell.

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

# link PLACE DEVICE SUBNET: a cable between a place and the gateway.
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
