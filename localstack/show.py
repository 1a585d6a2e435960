"""Prints what answers where. usage: show.py GATEWAY STATE_DIRECTORY"""

import json
import sys
import urllib.request

gateway, state = sys.argv[1:3]
with urllib.request.urlopen(f"{gateway}/_gateway/status", timeout=10) as answer:
    status = json.load(answer)
source, window = status["source"], status["window"] or {}
print(f"""  AWS API      {gateway}   ({status['server']})
  moto itself  {status['moto']}   (restores nothing; for comparison only)
  PostgreSQL   {source['address']}:{source['port']}   database {source['database']}, user \
{source['user']}, behind {source['instance']} in {source['region']}
  authority    {state}/ca.pem   (sslrootcert)
  restorable   {window.get('earliest', '-')} to {window.get('latest', '-')}""")
if source["problem"]:
    print(f"  PROBLEM      {source['problem']}")
for restore in status["restores"]:
    print(f"  restored     {restore['instance']}: {restore['status']}, port {restore['port']}, "
          f"to {restore['restore_time']}" + (f" ({restore['why']})" if restore["why"] else ""))
if status["planted"]:
    print(f"  PLANTED      the next restore will be wrong: {status['planted']}")
