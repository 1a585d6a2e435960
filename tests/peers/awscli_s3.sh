#!/usr/bin/env bash
# Drives the simulator's S3 with the aws command line of Debian (package awscli).
#   awscli_s3.sh AWS ENDPOINT
# Prints one line a check; fails at the first that does not hold.
set -euo pipefail
aws=$1 endpoint=$2
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=example AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER="" AWS_MAX_ATTEMPTS=1
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_REGION AWS_ENDPOINT_URL
bucket=techcorp-evidence
passed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

call() { "$aws" --endpoint-url "$endpoint" --region eu-west-1 --output text "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
ok() { passed=$((passed + 1)); echo "ok: $*"; }
gives() { # WANTED COMMAND...: what the command prints, by pattern
  local wanted=$1 found
  shift
  found=$(call "$@" 2>&1) || fail "$*: $found"
  # shellcheck disable=SC2053 # the wanted text is a pattern on purpose
  [[ $found == $wanted ]] || fail "$*: got \`$found\`, not \`$wanted\`"
  ok "$1 $2 gives $wanted"
}
refused() { # CODE COMMAND...
  local code=$1 found
  shift
  if found=$(call "$@" 2>&1); then fail "$*: not refused: $found"; fi
  [[ $found == *"($code)"* ]] || fail "$*: got \`$found\`, not $code"
  ok "$1 $2 is refused: $code"
}

refused NoSuchBucket s3api list-objects-v2 --bucket "$bucket"
gives "*$bucket*" s3api create-bucket --bucket "$bucket" --create-bucket-configuration LocationConstraint=eu-west-1
refused BucketAlreadyOwnedByYou s3api create-bucket --bucket "$bucket" --create-bucket-configuration LocationConstraint=eu-west-1
gives eu-west-1 s3api get-bucket-location --bucket "$bucket"
gives "*" s3api head-bucket --bucket "$bucket"
gives "*$bucket*" s3 ls
printf hello > "$work/body"
gives '"5d41402abc4b2a76b9719d911017c592"' s3api put-object --bucket "$bucket" --key a/b --body "$work/body" --query ETag
gives "5	*" s3api head-object --bucket "$bucket" --key a/b --query '[ContentLength, ETag]'
gives "*" s3api get-object --bucket "$bucket" --key a/b "$work/read"
[ "$(cat "$work/read")" = hello ] || fail "the bytes came back as $(cat "$work/read")"
ok "the same bytes"
head -c 1500000 /dev/urandom > "$work/large"
gives "*" s3 cp --no-progress "$work/large" "s3://$bucket/c/large"
gives "*" s3 cp --no-progress "s3://$bucket/c/large" "$work/back"
cmp "$work/large" "$work/back" || fail "a large object changed on its way"
ok "a large object"
gives "*1500000 large" s3 ls "s3://$bucket/c/"
gives "a/	c/" s3api list-objects-v2 --bucket "$bucket" --delimiter / --query 'CommonPrefixes[].Prefix'
gives "a/b*" s3api list-objects-v2 --bucket "$bucket" --max-items 1 --query 'Contents[].Key'
refused NoSuchKey s3api get-object --bucket "$bucket" --key none "$work/none"
refused 404 s3api head-object --bucket "$bucket" --key none
refused PreconditionFailed s3api get-object --bucket "$bucket" --key a/b --if-match '"00"' "$work/none"
refused BucketNotEmpty s3api delete-bucket --bucket "$bucket"
gives "*a/b*" s3api delete-objects --bucket "$bucket" --delete 'Objects=[{Key=a/b},{Key=none}]'
gives "" s3api delete-object --bucket "$bucket" --key c/large
gives "" s3api delete-bucket --bucket "$bucket"
echo "$passed checks passed"
