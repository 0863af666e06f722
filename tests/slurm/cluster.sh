#!/usr/bin/env bash
# A throw-away Slurm cluster of one node on loopback, for the tests (Debian or Ubuntu, root, no systemd needed).
#
#   cluster.sh start    install munge and Slurm if needed, write /etc/slurm/slurm.conf, start the daemons
#   cluster.sh stop     cancel all jobs, stop the daemons that it started, restore /etc/slurm
#
# TILEWISE_SLURM_CPUS  CPUs that the node advertises (default: as many as there are)
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

DIR=/var/lib/tilewise-slurm
CONF=/etc/slurm/slurm.conf  # the executor plugin drops SLURM_CONF, so it must be the default place
MARK='# written by the tests of tilewise'
HOST=$(hostname -s)

say() { printf '%s\n' "slurm: $*" >&2; }
die() { say "ERROR: $*"; exit 1; }

# alive NAME COMM: prints the pid when NAME.pid names a live process called COMM
alive() {
  local f="$DIR/run/$1.pid" p
  [ -s "$f" ] || return 1
  p=$(tr -dc 0-9 <"$f"); [ -n "$p" ] || return 1
  [ "$(cat "/proc/$p/comm" 2>/dev/null)" = "$2" ] || return 1
  echo "$p"
}
wait_for() { # wait_for SECONDS WHAT COMMAND...
  local end=$((SECONDS + $1)); shift 2
  while ! "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}
stop_one() { # stop_one NAME COMM [seconds]
  local p n
  if p=$(alive "$1" "$2"); then
    kill -TERM "$p" 2>/dev/null || true
    n=$(( ${3:-15} * 10 ))
    while [ -d "/proc/$p" ] && [ "$n" -gt 0 ]; do sleep 0.1; n=$((n - 1)); done
    if [ -d "/proc/$p" ]; then say "$1 ($p) did not stop on TERM, KILL"; kill -KILL "$p" 2>/dev/null || true; fi
    say "stopped $1 ($p)"
  fi
  rm -f "$DIR/run/$1.pid"
}

do_install() {
  local need=() b
  for b in munged:munge slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client; do
    command -v "${b%%:*}" >/dev/null || need+=("${b##*:}")
  done
  [ ${#need[@]} = 0 ] && return 0
  say "apt-get install ${need[*]}"
  # keep package scripts from starting services on their own (they would listen on all interfaces)
  local guard=0
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; guard=1
  fi
  local rc=0
  apt-get install -y -qq --no-install-recommends "${need[@]}" >/tmp/tilewise-slurm-apt.log 2>&1 || rc=$?
  if [ "$rc" != 0 ]; then
    apt-get update -qq >>/tmp/tilewise-slurm-apt.log 2>&1 || true
    rc=0; apt-get install -y -qq --no-install-recommends "${need[@]}" >>/tmp/tilewise-slurm-apt.log 2>&1 || rc=$?
  fi
  [ "$guard" = 0 ] || rm -f /usr/sbin/policy-rc.d
  [ "$rc" = 0 ] || { tail -20 /tmp/tilewise-slurm-apt.log >&2; die "apt-get install failed"; }
}

write_conf() {
  local real_mem cpus mem
  real_mem=$(slurmd -C | sed -n 's/.*RealMemory=\([0-9]*\).*/\1/p')
  cpus=${TILEWISE_SLURM_CPUS:-$(nproc)}
  mem=$((real_mem - 512))
  if [ -e "$CONF" ] && ! head -1 "$CONF" | grep -qF "$MARK"; then
    [ -e "$CONF.before-tilewise" ] || mv "$CONF" "$CONF.before-tilewise"
    say "moved the existing $CONF to $CONF.before-tilewise"
  fi
  mkdir -p /etc/slurm
  cat >"$CONF" <<CONF_END
$MARK -- single node, loopback only
ClusterName=local
SlurmctldHost=$HOST(127.0.0.1)
SlurmctldPort=6817
SlurmdPort=6818
# bind to the addresses named here, not to 0.0.0.0 (daemons, stepd and srun / slurmctld)
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket=$DIR/run/munge.socket
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$DIR/ctld
SlurmdSpoolDir=$DIR/slurmd
SlurmctldPidFile=$DIR/run/slurmctld.pid
SlurmdPidFile=$DIR/run/slurmd.pid
SlurmctldLogFile=$DIR/log/slurmctld.log
SlurmdLogFile=$DIR/log/slurmd.log
SlurmctldDebug=info
SlurmdDebug=info
MpiDefault=none
SwitchType=switch/none
# no cgroups anywhere
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$DIR/log/jobcomp.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=5,sched_interval=5
# finished jobs stay visible to squeue --states=all this long (must be >= 3 x init-seconds-before-status-checks)
MinJobAge=600
MaxJobCount=20000
ReturnToService=2
# reject at submission what can never run, instead of PENDING (PartitionConfig) for ever
EnforcePartLimits=ALL
InactiveLimit=0
KillWait=5
SlurmctldTimeout=30
SlurmdTimeout=60
SlurmdParameters=config_overrides
NodeName=$HOST NodeAddr=127.0.0.1 NodeHostname=$HOST CPUs=$cpus RealMemory=$mem State=UNKNOWN
PartitionName=local Nodes=$HOST Default=YES MaxTime=INFINITE DefMemPerCPU=512 State=UP
CONF_END
}

munge_up() { timeout 5 munge -n -S "$DIR/run/munge.socket" | unmunge -S "$DIR/run/munge.socket"; }
ctld_up()  { timeout 5 scontrol ping | grep -q 'is UP'; }
node_up()  { timeout 5 sinfo -h -N -o %t | grep -qE '^(idle|mix|alloc)$'; }

do_start() {
  [ "$(id -u)" = 0 ] || die "run as root"
  do_install
  getent hosts "$HOST" | grep -qE '^(127\.|::1)' || { echo "127.0.0.1 $HOST" >>/etc/hosts; say "added 127.0.0.1 $HOST to /etc/hosts"; }
  mkdir -p "$DIR"/{run,log,ctld,slurmd,munge}; chmod 755 "$DIR" "$DIR/run" "$DIR/log"
  # --- munge: own key, own socket; munged refuses group/world-writable parents, and will not run as root quietly
  if ! alive munged munged >/dev/null; then
    [ -s "$DIR/munge/munge.key" ] || (umask 077; head -c 1024 /dev/urandom >"$DIR/munge/munge.key")
    chown -R munge:munge "$DIR/munge"; chmod 700 "$DIR/munge"; chmod 400 "$DIR/munge/munge.key"
    mkdir -p "$DIR/run/m"; chown munge:munge "$DIR/run/m"; chmod 755 "$DIR/run/m"
    runuser -u munge -- munged --key-file="$DIR/munge/munge.key" --socket="$DIR/run/m/munge.socket" \
      --pid-file="$DIR/run/m/munged.pid" --log-file="$DIR/munge/munged.log" --seed-file="$DIR/munge/seed" --num-threads=2 \
      || die "munged failed, see $DIR/munge/munged.log"
    ln -sfn m/munge.socket "$DIR/run/munge.socket"; ln -sfn m/munged.pid "$DIR/run/munged.pid"
    wait_for 10 munged munge_up || die "munge does not answer"
  fi
  write_conf
  alive slurmctld slurmctld >/dev/null || slurmctld
  wait_for 20 slurmctld ctld_up || die "slurmctld did not come up, see $DIR/log/slurmctld.log"
  alive slurmd slurmd >/dev/null || slurmd
  if ! wait_for 10 node node_up; then
    scontrol update nodename="$HOST" state=resume 2>/dev/null || true
    wait_for 10 node node_up || { sinfo -R >&2; die "node $HOST is not up, see $DIR/log/slurmd.log"; }
  fi
  say "up: $(sinfo -h -N -o '%N %t cpus=%c mem=%m partition=%P')"
}

do_stop() {
  local n=100
  if alive slurmctld slurmctld >/dev/null && command -v squeue >/dev/null; then
    squeue -h -o %i 2>/dev/null | grep . | xargs -r scancel 2>/dev/null || true
    while [ "$n" -gt 0 ] && [ -n "$(squeue -h -o %i 2>/dev/null)" ]; do sleep 0.2; n=$((n - 1)); done
  fi
  stop_one slurmd slurmd
  stop_one slurmctld slurmctld 20
  stop_one munged munged
  rm -f "$DIR/run/munge.socket" "$DIR/run/m/munged.pid"
  if [ -e "$CONF" ] && head -1 "$CONF" | grep -qF "$MARK"; then rm -f "$CONF"; fi
  if [ -e "$CONF.before-tilewise" ]; then mv "$CONF.before-tilewise" "$CONF"; fi
  say "stopped"
}

case ${1:-} in
  start) do_start ;;
  stop) do_stop ;;
  *) sed -n '2,7p' "$0" >&2; exit 2 ;;
esac
