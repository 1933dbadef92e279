#!/bin/sh
# Measures a suite on two hosts with names and networks of their own, which are namespaces on this machine.
# Needs root, iproute2 and util-linux. The harness sees that both are one machine: without SHARED only one measures.
#
#   tests/stress/two_hosts.sh FOLDER           a run on both; prints who measured what
#   tests/stress/two_hosts.sh FOLDER cut       beta's network goes down after the first records
#   tests/stress/two_hosts.sh FOLDER alone     without SHARED
set -eu
folder=$1
how=${2:-both}
python=${PYTHON:-python}
net=10.231.77
export PYTHONPATH="$(cd "$(dirname "$0")/../.." && pwd):$(cd "$(dirname "$0")/.." && pwd)"
mkdir -p "$folder"
cd "$folder"
rm -rf results report scheduler.json ./*.log
resources="BLOCK=1 SHARED=1"
[ "$how" = alone ] && resources="BLOCK=1"

"$python" - <<'CODE'
from pathlib import Path
from faults.toys import write_suite
slow = "time.sleep(0.3)\nreturn Gradient(1.0, theta, y0)"
budget = "{rounds: 5, seconds: 20, timeout: 60}"
write_suite(Path(), {"slow": slow}, steps="[4, 8, 16, 32]", measure="[time, memory]", budget=budget)
CODE

pids=""
end() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    sleep 1
    for host in alpha beta; do
        ip link delete "harness-$host" 2>/dev/null || true
        ip netns delete "harness-$host" 2>/dev/null || true
    done
    ip link delete harness-bridge 2>/dev/null || true
}
trap end EXIT

ip link add harness-bridge type bridge
ip address add "$net.1/24" dev harness-bridge
ip link set harness-bridge up
number=2
for host in alpha beta; do
    ip netns add "harness-$host"
    ip link add "harness-$host" type veth peer name eth0 netns "harness-$host"
    ip link set "harness-$host" master harness-bridge up
    ip netns exec "harness-$host" ip address add "$net.$number/24" dev eth0
    ip netns exec "harness-$host" ip link set eth0 up
    ip netns exec "harness-$host" ip link set lo up
    number=$((number + 1))
done

"$python" -m distributed.cli.dask_scheduler --host "$net.1" --port 8786 --no-dashboard >scheduler.log 2>&1 &
pids="$pids $!"
for host in alpha beta; do
    ip netns exec "harness-$host" unshare --uts sh -c 'hostname "$0"; exec "$@"' "$host" \
        "$python" -m distributed.cli.dask_worker "tcp://$net.1:8786" --name "$host" --nthreads 1 --no-dashboard \
        --resources "$resources" --local-directory "$PWD" >"$host.log" 2>&1 &
    pids="$pids $!"
done
until grep -q Registered alpha.log && grep -q Registered beta.log; do sleep 0.2; done

"$python" -m harness run toy.yaml --executor dask --scheduler "tcp://$net.1:8786" >run.log 2>&1 &
run=$!
if [ "$how" = cut ]; then
    until grep -q beta results/toy/*/records.jsonl 2>/dev/null; do sleep 0.1; done
    ip link set harness-beta down
    echo "beta is cut off at $(date +%T)"
fi
code=0
wait "$run" || code=$?
echo "exit code $code at $(date +%T)"
grep -v Warning run.log
"$python" - <<'CODE'
import json
from glob import glob
(folder,) = glob("results/toy/*")
for n, one in enumerate(json.load(open(f"{folder}/run.json"))["executions"]):
    print(n, one["host"], one["worker"], one["warnings"])
for row in map(json.loads, open(f"{folder}/records.jsonl")):
    print(row["execution"], row["host"], row["method"], row["steps"], row["status"], row["pending"])
CODE
