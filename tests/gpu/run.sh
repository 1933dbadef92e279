#!/usr/bin/env bash
# What needs a GPU: tests, then suites, within a time limit. What is done by then stays in the folder.
#   tests/gpu/run.sh FOLDER [SECONDS] [WHAT ...]
# WHAT is `tests`, or a suite of suites/; both GPU suites and the tests unless named. SECONDS is 580 unless given.
# Without a network, WHEELS names a folder of wheels, this project's build backend (hatchling) among them, to be
# installed beside the packages that the machine has.
set -uo pipefail
cd "$(dirname "$0")/../.."
folder=$(realpath -m "$1") seconds=${2:-580}
shift $(($# < 2 ? $# : 2))
what=("$@")
((${#what[@]})) || what=(tests gpu gpu-crossover)
mkdir -p "$folder"
end=$(($(date +%s) + seconds))
left() { echo $((end - $(date +%s))); }

if [ -n "${WHEELS:-}" ]; then
  site=$(mktemp -d)
  export PYTHONPATH=$PWD:$site
  quiet=(--quiet --no-index --no-deps --no-cache-dir --target "$site")
  python3 -m pip install "${quiet[@]}" "$WHEELS"/*.whl || exit 1
  python3 -m pip install "${quiet[@]}" --no-build-isolation . || exit 1
  rm -rf "$site/harness"
fi
export GRADIENT_HARNESS_CACHE=$folder/cache
python3 -m harness doctor 2>&1 | tee "$folder/doctor.txt"
code=0
for part in "${what[@]}"; do
  (($(left) > 20)) || { echo "no time left for $part"; code=1; continue; }
  if [ "$part" = tests ]; then
    JAX_PLATFORMS=cuda,cpu timeout --signal=INT "$(left)" python3 -m pytest -m gpu tests/gpu -q -rfE --durations=5 2>&1 | tee "$folder/tests.txt"
  else
    timeout --signal=INT "$(left)" python3 -m harness run "suites/$part.yaml" --results "$folder/results" 2>&1 | tee "$folder/$part.txt"
  fi
  status=${PIPESTATUS[0]}
  ((status == 0)) || { echo "$part ended with $status"; code=1; }
done
rm -rf "$folder/cache"
exit $code
