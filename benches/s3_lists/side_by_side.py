#!/usr/bin/env python3
"""Compares two buckets with drctl, rclone, s5cmd and the aws command line, side by side.

    side_by_side.py --endpoint URL --drctl PATH [--rclone PATH] [--s5cmd PATH] [--aws PATH]
                    [--a NAME] [--b NAME] [--repeat N] [--only drctl,rclone]
    side_by_side.py --endpoint URL --s5cmd PATH --load 100000 --differences 1000

All tools have to find the same differences, or the script fails. Of each are printed: seconds, seconds of
CPU (its own, of all threads), and the most memory that it had. `bare` is a parallel listing of both
buckets by this script's own threads, which keeps nothing: what the server can give.
Environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, else `test`.
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

KEYS = "object-{:010d}.dat"


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--endpoint", required=True)
    for tool in ("drctl", "rclone", "s5cmd", "aws"):
        parser.add_argument("--" + tool)
    parser.add_argument("--a", default="a")
    parser.add_argument("--b", default="b")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--load", type=int)
    parser.add_argument("--differences", type=int, default=1000)
    parser.add_argument("--bare-threads", type=int, default=8)
    return parser.parse_args()


def environment(given):
    env = {"PATH": os.environ["PATH"], "HOME": given["home"], "DRCTL_STATE_DIR": given["home"] + "/state"}
    env["AWS_ACCESS_KEY_ID"] = os.environ.get("AWS_ACCESS_KEY_ID", "test")
    env["AWS_SECRET_ACCESS_KEY"] = os.environ.get("AWS_SECRET_ACCESS_KEY", "test")
    env["AWS_REGION"] = env["AWS_DEFAULT_REGION"] = "us-east-1"
    env["RCLONE_CONFIG"] = given["home"] + "/rclone.conf"
    return env


def run(command, env):
    """Standard output and error, exit code, seconds, seconds of CPU, most memory in bytes."""
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=out, stderr=err, env=env, cwd=env["HOME"])
    _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - began
    texts = []
    for file in (out, err):
        file.seek(0)
        texts.append(file.read().decode("utf-8", "surrogateescape"))
    code = os.waitstatus_to_exitcode(status)
    return texts[0], texts[1], code, took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def drctl(given, env, extra=()):
    command = [given.drctl, "s3", "compare", f"s3://{given.a}", f"s3://{given.b}", "--endpoint-url",
               given.endpoint, "--format", "combined", *extra]
    out, err, code, *cost = run(command, env)
    if code not in (0, 10):
        sys.exit(f"drctl ended with {code}: {err}")
    found = {(line[0], line[2:]) for line in out.splitlines()}
    return found, cost


def rclone(given, env):
    command = [given.rclone, "check", "--fast-list", "--combined", "-", f"w:{given.a}", f"w:{given.b}"]
    out, err, code, *cost = run(command, env)
    if code not in (0, 1):
        sys.exit(f"rclone ended with {code}: {err}")
    found = {(line[0], line[2:]) for line in out.splitlines() if line[0] != "="}
    return found, cost


def copies(out, a, b, pattern_copy, pattern_remove):
    found = set()
    for line in out.splitlines():
        copied = re.match(pattern_copy.format(a=re.escape(a)), line)
        removed = re.match(pattern_remove.format(b=re.escape(b)), line)
        if copied:
            found.add(("c", copied.group(1)))
        elif removed:
            found.add(("-", removed.group(1)))
    return found


def s5cmd(given, env):
    command = [given.s5cmd, "--endpoint-url", given.endpoint, "--dry-run", "sync", "--delete",
               f"s3://{given.a}/*", f"s3://{given.b}/"]
    out, err, code, *cost = run(command, env)
    if code != 0:
        sys.exit(f"s5cmd ended with {code}: {err[:500]}")
    found = set()
    for line in out.splitlines():
        if line.startswith("cp "):
            found.add(("c", re.findall(rf"s3://{re.escape(given.a)}/(\S+)", line)[0]))
        elif line.startswith("rm "):
            found.update(("-", key) for key in re.findall(rf"s3://{re.escape(given.b)}/(\S+)", line))
    return found, cost


def aws(given, env):
    command = [given.aws, "--endpoint-url", given.endpoint, "s3", "sync", "--dryrun", "--delete",
               f"s3://{given.a}", f"s3://{given.b}"]
    out, err, code, *cost = run(command, env)
    if code != 0:
        sys.exit(f"aws ended with {code}: {err[:500]}")
    found = copies(out, given.a, given.b, r"\(dryrun\) copy: s3://{a}/(\S+) to ", r"\(dryrun\) delete: s3://{b}/(\S+)")
    return found, cost


def plain(found):
    """What tools that would copy can tell: `+` and `*` are one."""
    return {("c" if symbol in "+*c" else symbol, key) for symbol, key in found}


def bare(given):
    """Lists both buckets with ranges of numbers, which this script knows, and keeps nothing."""
    address = urllib.parse.urlsplit(given.endpoint)
    lock, total, last = threading.Lock(), [0], {}

    def page(connection, bucket, after, most=1000):
        query = urllib.parse.urlencode({"list-type": 2, "start-after": after, "max-keys": most})
        connection.request("GET", f"/{bucket}?{query}", headers={"Authorization": "AWS4-HMAC-SHA256 bare"})
        return connection.getresponse().read()

    def part(bucket, first, end):
        connection = http.client.HTTPConnection(address.hostname, address.port)
        after, count = (KEYS.format(first) if first else ""), 0
        stop = KEYS.format(end).encode()
        while True:
            body = page(connection, bucket, after)
            keys = re.findall(rb"<Key>([^<]*)</Key>", body)
            mine = [key for key in keys if key <= stop]
            count += len(mine)
            if len(mine) < len(keys) or b"<IsTruncated>true" not in body or not keys:
                break
            after = keys[-1].decode()
        with lock:
            total[0] += count

    probe = http.client.HTTPConnection(address.hostname, address.port)
    low, high = 0, 1
    while re.search(rb"<Key>", page(probe, given.a, KEYS.format(high), 1)):
        high *= 2
    while low < high:
        middle = (low + high) // 2
        if re.search(rb"<Key>", page(probe, given.a, KEYS.format(middle), 1)):
            low = middle + 1
        else:
            high = middle
    began, used = time.monotonic(), time.process_time()
    parts, size = [], low // given.bare_threads + 1
    with concurrent.futures.ThreadPoolExecutor(given.bare_threads * 2) as pool:
        for bucket in (given.a, given.b):
            for first in range(0, low + 1, size):
                parts.append(pool.submit(part, bucket, first, min(first + size, low + 1)))
        [one.result() for one in parts]
    return total[0], time.monotonic() - began, time.process_time() - used


def load(given, env):
    """Makes buckets `a` and `b` of so many keys, with planted differences; needs s5cmd."""
    work = tempfile.mkdtemp(dir=env["HOME"])
    for name, text in (("one", "0123456789abcdef"), ("two", "0123456789abcdefX")):
        with open(f"{work}/{name}", "w") as file:
            file.write(text)
    every = max(1, given.load // given.differences)
    for side in (given.a, given.b):
        subprocess.run([given.s5cmd, "--endpoint-url", given.endpoint, "mb", f"s3://{side}"], env=env, check=True)
        with open(f"{work}/{side}.run", "w") as commands:
            for number in range(given.load):
                planted = number % every == every // 2 and side == given.b
                kind = number // every % 3 if planted else None
                if kind == 0:
                    continue
                body = "two" if kind == 1 else "one"
                commands.write(f"cp {work}/{body} s3://{side}/{KEYS.format(number)}\n")
                if kind == 2:
                    commands.write(f"cp {work}/one s3://{side}/{KEYS.format(number)}.extra\n")
        began = time.monotonic()
        subprocess.run([given.s5cmd, "--numworkers", "64", "--endpoint-url", given.endpoint, "run",
                        f"{work}/{side}.run"], env=env, stdout=subprocess.DEVNULL, check=True)
        print(f"{side}: {given.load} keys in {time.monotonic() - began:.0f} s")


def main():
    given = options()
    home = tempfile.mkdtemp(prefix="side-by-side-")
    env = environment({"home": home})
    with open(f"{home}/rclone.conf", "w") as config:
        config.write(f"[w]\ntype = s3\nprovider = Other\nlist_version = 2\nforce_path_style = true\n"
                     f"env_auth = true\nendpoint = {given.endpoint}\nregion = us-east-1\n")
    if given.load:
        return load(given, env)
    only = [name for name in given.only.split(",") if name]
    tools = {"drctl": drctl, "rclone": rclone, "s5cmd": s5cmd, "aws": aws}
    if given.drctl:
        # Without second looks: what the other tools do.
        tools["drctl, lists alone"] = lambda given, env: drctl(given, env, ("--looks", "0"))
    rows, truth = [], None
    for name, tool in tools.items():
        wanted = name.split(",")[0]
        if getattr(given, wanted) is None or (only and wanted not in only):
            continue
        costs = []
        for _ in range(given.repeat):
            found, cost = tool(given, env)
            costs.append(cost)
            found = plain(found)
            if truth is None:
                truth = found
            elif truth != found:
                sys.exit(f"{name} finds {len(found)} differences, the first tool {len(truth)}: "
                         f"{sorted(truth ^ found)[:10]}")
        best = min(costs)
        rows.append({"tool": name, "seconds": best[0], "cpu": best[1], "memory_mb": best[2] / 1e6,
                     "differences": len(truth), "runs": [round(cost[0], 2) for cost in costs]})
        print(f"{name:20} {best[0]:8.2f} s  cpu {best[1]:7.2f} s  {best[2] / 1e6:7.0f} MB  "
              f"{len(truth)} differences  {rows[-1]['runs']}", flush=True)
    keys, took, used = min((bare(given) for _ in range(given.repeat)), key=lambda one: one[1])
    print(f"{'bare listing':20} {took:8.2f} s  cpu {used:7.2f} s  {keys} keys")
    rows.append({"tool": "bare", "seconds": took, "cpu": used, "keys": keys})
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
