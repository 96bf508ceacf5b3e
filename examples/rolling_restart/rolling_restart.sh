#!/bin/sh
# Restarts the members of a balancer one after the other without losing a session that ends in time.
#
#   rolling_restart.sh BALANCER RESTART MEMBER...
#
# RESTART is a command that gets the member's name and returns when the member serves again. It is
# only called for a member that was drained, or whose deadline passed.
#
#   CTL       how to reach the server      steelyard ctl
#   DEADLINE  how long sessions may stay   30min
#   WINDOW    how long a session may be silent before it counts as over   5min
set -u

ctl=${CTL:-steelyard ctl}
deadline=${DEADLINE:-30min}
window=${WINDOW:-5min}

if [ $# -lt 3 ]; then
  echo "usage: $0 BALANCER RESTART MEMBER..." >&2
  exit 2
fi
balancer=$1
restart=$2
shift 2

for member in "$@"; do
  $ctl drain "$balancer" "$member" --sessions 0 --window "$window" --deadline "$deadline" --wait
  status=$?
  case $status in
    0) ;;
    3) echo "$member: the deadline passed, what was left goes to other members" ;;
    *)
      # No server, no such member, or an operator did something else with it: people have to look.
      echo "$member: not restarted (exit status $status)" >&2
      exit "$status"
      ;;
  esac
  if ! $restart "$member"; then
    echo "$member: the restart failed; it stays out of service" >&2
    exit 1
  fi
  $ctl undrain "$balancer" "$member" || exit
done
