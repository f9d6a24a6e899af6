# SPDX-License-Identifier: Apache-2.0
#
# What the demos are told with: starting and stopping the servers, short names for queries, and checks that count.
# To be sourced, by a script that has put the top of the tree into ROOT; begin_demo comes first.

# Whatever steers psql and curl elsewhere must not reach them here.
unset "${!PG@}"
export PGCONNECT_TIMEOUT=30 PSQLRC=/dev/null no_proxy=localhost PATH=$PATH:/usr/lib/llvm-19/bin

passed=0
failed=0
keep=no
postgres_pid=
proxy_pid=
server_toml=
slow_query=  # takes the server a good part of a second

# begin_demo COMMAND [--keep]: reads the arguments of the demo that `tools/dev COMMAND` runs, and makes its folder. Ports
# 6432 and 9090 must be free.
begin_demo() {
  local command=$1
  shift
  case "$*" in
    '') ;;
    --keep) keep=yes ;;
    *) echo "usage: demo.sh [--keep]" >&2 && exit 2 ;;
  esac
  # Called by hand, tools/dev builds what is missing and comes back here.
  if [[ -z ${HELIOS_BIN:-} ]]; then
    exec "$ROOT/tools/dev" "$command" "$@"
  fi
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/helios-demo.XXXXXX")
  chmod 755 "$WORK"
  trap 'stop_everything' EXIT
  refuse_busy_ports 6432 9090
}

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
step() { printf '\n- %s\n' "$*"; }

# Runs a command and shows it first, with the names of folders left short. What it should have done is checked after it.
show() {
  local line="$*"
  line=${line//"$WORK"\//}
  line=${line//"$ROOT"\//}
  printf '  $ %s\n' "$line"
  { "$@" 2>&1 || true; } | awk '{ print "    " $0 }'
}

die() {
  printf 'demo.sh: %s\n' "$*" >&2
  exit 1
}

# --- checks

check() {
  local what=$1 held=$2 detail=$3
  if [[ $held == yes ]]; then
    passed=$((passed + 1))
    printf '  \033[32mok\033[0m      %s\n' "$what"
  else
    failed=$((failed + 1))
    printf '  \033[31mFAILED\033[0m  %s: %s\n' "$what" "$detail"
  fi
}

expect_equal() {
  local held=no
  [[ $2 == "$3" ]] && held=yes
  check "$1" "$held" "expected '$2', got '$3'"
}

# expect_match WHAT REGEX TEXT
expect_match() {
  local held=no
  [[ $3 =~ $2 ]] && held=yes
  check "$1" "$held" "expected /$2/, got '$3'"
}

# expect_above WHAT BOUND NUMBER
expect_above() {
  local held
  held=$(awk -v bound="$2" -v number="$3" 'BEGIN { print (number != "" && number + 0 > bound + 0) ? "yes" : "no" }')
  check "$1" "$held" "expected more than $2, got '$3'"
}

# expect_within SECONDS WHAT COMMAND...: the command succeeds before the time is over.
expect_within() {
  local seconds=$1 what=$2 end=$((SECONDS + $1)) held=no
  shift 2
  while [[ $held == no ]] && ((SECONDS <= end)); do
    if "$@" >"$WORK/try" 2>&1; then held=yes; else sleep 0.1; fi
  done
  check "$what" "$held" "still '$(tail -n1 "$WORK/try")' after $seconds s"
}

summary() {
  title "$passed checks passed, $failed failed"
  ((failed == 0)) || exit 1
}

# --- queries

# Unaligned output without decoration: values.
query() { psql -h localhost -p 6432 -U postgres -d demo -X -c "$1"; }
value_of_query() { psql -h localhost -p 6432 -U postgres -d demo -X -At -c "$1"; }
query_as() { psql -h localhost -p 6432 -U postgres -d demo -X -q -At -c "SET helios.tenant_id = '$1'; $2"; }
query_script() { psql -h localhost -p 6432 -U postgres -d demo -X -q -v ON_ERROR_STOP=1; }

# session_as TENANT NAME [OPTION...]: one psql, which is sent statements on its standard input and goes on after errors. Answers
# go into the file NAME.answers, errors into NAME.errors.
session_as() {
  local name=$2
  PGOPTIONS="-c helios.tenant_id=$1" psql -h localhost -p 6432 -U postgres -d demo -X -q -At "${@:3}" \
    >"$WORK/$name.answers" 2>"$WORK/$name.errors"
}

# Why a statement of a tenant is refused, with the SQLSTATE in front; nothing when it is not.
refusal_of() {
  psql -h localhost -p 6432 -U postgres -d demo -X -q -At -v VERBOSITY=verbose -c "SET helios.tenant_id = '$1'; $2" \
    2>&1 >"$WORK/answer" || true
}

# A value of the store, as SQL and as the admin interface give it.
kv_in_sql() { value_of_query "SELECT * FROM helios.kv('$1', '$2')"; }
kv_value() { curl -s -H 'Accept: application/octet-stream' "http://localhost:9090/admin/kv/$1/$2"; }

# field NAME JSON: a number of a flat JSON object.
field() { sed -n "s/.*\"$1\":\([-+0-9.eE]*\).*/\1/p" <<<"$2"; }

# What the loaded plugins count themselves, by its name.
metric() { field "$1" "$(curl -s http://localhost:9090/plugins)"; }

# The number after a number; nothing for anything else.
next_of() { [[ $1 =~ ^[0-9]+$ ]] && echo $(($1 + 1)); }

# Waits for processes that this shell started; each must have succeeded.
wait_for_all() {
  local pid
  for pid in "$@"; do
    wait "$pid" || die "a psql process failed"
  done
}

# --- servers

is_listening() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

refuse_busy_ports() {
  local port
  for port in "$@"; do
    if is_listening 127.0.0.1 "$port" || is_listening ::1 "$port"; then
      die "port $port is in use; this demo needs it for itself"
    fi
  done
}

# wait_for WHAT PID LOG COMMAND...: until the command succeeds, while the process lives.
wait_for() {
  local what=$1 pid=$2 log=$3 end=$((SECONDS + 60))
  shift 3
  until "$@" >"$WORK/try" 2>&1; do
    if ! kill -0 "$pid" 2>/dev/null || ((SECONDS > end)); then
      cat "$log" >&2
      die "$what does not start"
    fi
    sleep 0.1
  done
}

# The server is PostgreSQL 17; HELIOS_TEST_PG names another version, or nano for HeliosDB-Nano.
start_server() {
  local root
  case ${HELIOS_TEST_PG:-} in
    '') start_postgres "${HELIOS_PG17:-$(bash "$ROOT/deps/locate.sh" postgres17)}" ;;
    nano)
      root=$(bash "$ROOT/deps/locate.sh" nano) || die "HeliosDB-Nano is not built"
      start_nano "$root"
      ;;
    *)
      root=$(bash "$ROOT/deps/locate.sh" "postgres$HELIOS_TEST_PG") || die "there is no PostgreSQL $HELIOS_TEST_PG"
      start_postgres "$root"
      ;;
  esac
}

# PostgreSQL needs no TCP port: the proxy reaches it through a Unix socket in the demo's folder.
start_postgres() {
  local bin=$1/bin as="$ROOT/tools/as-postgres" pg=$WORK/postgres
  server_toml="server.host = \"$pg\""
  slow_query="SELECT pg_sleep(0.3)"
  mkdir "$pg"
  ((EUID != 0)) || chown "$("$as" id -un)" "$pg"
  (cd / && "$as" "$bin/initdb" -D "$pg/data" -U postgres -A trust -E UTF8 --locale=C --no-sync) >"$WORK/initdb.log" 2>&1 ||
    { cat "$WORK/initdb.log" >&2 && die "initdb failed"; }
  (cd / && exec "$as" "$bin/postgres" -D "$pg/data" -k "$pg" -c listen_addresses= -c fsync=off) >"$WORK/postgres.log" 2>&1 &
  postgres_pid=$!
  wait_for "PostgreSQL" "$postgres_pid" "$WORK/postgres.log" psql -h "$pg" -U postgres -X -c 'CREATE DATABASE demo'
  echo "  PostgreSQL $(psql -h "$pg" -U postgres -X -At -c 'SHOW server_version'), database demo, user postgres"
}

# HeliosDB-Nano has no Unix socket, and no pg_sleep(). Everything stays in memory.
start_nano() {
  refuse_busy_ports 5499
  server_toml=$'server.host = "127.0.0.1"\nserver.port = 5499'
  slow_query="SELECT count(*) FROM generate_series(1, 5000000)"
  (cd "$WORK" && exec "$1/bin/heliosdb-nano" start --memory -p 5499) >"$WORK/nano.log" 2>&1 &
  postgres_pid=$!
  wait_for "HeliosDB-Nano" "$postgres_pid" "$WORK/nano.log" psql -h 127.0.0.1 -p 5499 -U postgres -d postgres -X \
    -c 'CREATE DATABASE demo'
  echo "  HeliosDB-Nano, database demo, user postgres"
}

# start_proxy [TOML]: the proxy, with further lines of configuration.
start_proxy() {
  mkdir -p "$WORK/plugins"
  cat >"$WORK/proxy.toml" <<TOML
$server_toml
listen.workers = 4
plugins.directory = "plugins"
kv_sql.readers = ["postgres"]
${1:-}
TOML
  "$HELIOS_BIN" --config "$WORK/proxy.toml" >>"$WORK/proxy.log" 2>&1 &
  proxy_pid=$!
  wait_for "the proxy" "$proxy_pid" "$WORK/proxy.log" curl -sf http://localhost:9090/readyz
  echo "  heliosproxy on localhost:6432, its admin interface on localhost:9090"
}

# No warning, no goodbye: as kill -9, an out-of-memory kill or a crash would end it.
kill_proxy() {
  kill -KILL "$proxy_pid"
  wait "$proxy_pid" 2>/dev/null || true
}

stop_everything() {
  local status=$? pid
  if [[ $keep == yes && $status -eq 0 ]]; then
    cat <<TEXT

Both servers go on running. Stop them with:
  kill $proxy_pid $postgres_pid; until rm -rf $WORK 2>/dev/null; do sleep 0.2; done
TEXT
    return
  fi
  if ((status != 0)) && [[ -s $WORK/proxy.log ]]; then
    printf '\nThe proxy wrote:\n'
    tail -n 40 "$WORK/proxy.log"
  fi
  for pid in $proxy_pid $postgres_pid; do
    kill "$pid" 2>/dev/null || true
  done
  wait
  rm -rf "$WORK"
}
