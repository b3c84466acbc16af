# What all parts of the demo stand on; they source it. Sets dir (temporary,
# removed at the end), pids (killed at the end), input, what, lines, bytes.
dir=$(mktemp -d)
pids=()
cleanup() {
  trap - EXIT
  exec 2>/dev/null # what bash says of killed jobs
  for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  rm -rf "$dir"
}
trap cleanup EXIT
trap 'echo; echo "demo: stopped"; exit 130' INT TERM
bold() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || bold() { printf '\n%s\n' "$*"; }
show() { if [ -t 1 ]; then printf '\r\033[K  %s' "$*"; fi; }
note() { if [ -t 1 ]; then printf '\r\033[K'; fi; printf '  %s\n' "$*"; }

programs() { # that must have been built
  local program
  for program in "$@"; do
    [ -x "$build/$program" ] || { echo "demo: $build/$program is missing: run make demo" >&2; exit 1; }
  done
  command -v openssl >/dev/null || { echo "demo: the command openssl is missing (package openssl)" >&2; exit 1; }
}

built_languages() { # whose program $1 is there, into languages
  languages=()
  local language
  for language in node go rust python; do
    if [ -x "$build/examples/demo_$1_$language" ]; then languages+=("$language"); fi
  done
}

take_input() { # at most $1 bytes where INPUT names no file
  if [ -n "${INPUT:-}" ]; then
    [ -r "$INPUT" ] && [ -f "$INPUT" ] || { echo "demo: cannot read the file $INPUT" >&2; exit 1; }
    cat -- "$INPUT" > "$dir/input"
    what=$INPUT
  else
    # In the order find gives, cut at a whole file; the same every time.
    find /usr/include/boost /usr/include/openssl /usr/include/c++ -type f -print0 2>/dev/null | LC_ALL=C sort -z |
      xargs -0 cat 2>/dev/null | head -c "$1" > "$dir/input" || true
    what="headers of Boost, OpenSSL and C++"
  fi
  [ -s "$dir/input" ] || { echo "demo: the input is empty" >&2; exit 1; }
  # Every line ends in a newline, so that a copy can be compared byte by byte.
  [ "$(tail -c 1 "$dir/input" | wc -l)" = 1 ] || echo >> "$dir/input"
  lines=$(wc -l < "$dir/input")
  bytes=$(wc -c < "$dir/input")
  [ "$lines" -ge 10 ] || { echo "demo: the input needs 10 lines at least" >&2; exit 1; }
  note "$what: $lines lines, $((bytes / 1000000)) MB"
}

make_secret() { # secret, a key that others must know
  (umask 077; head -c 18 /dev/urandom | base64 > "$dir/secret")
}

make_identity() { # that, and cert.pem and key.pem made now
  make_secret
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>"$dir/openssl.log" ||
    { cat "$dir/openssl.log" >&2; exit 1; }
}

start_server() { # program and arguments: it says lines to hear, its input is file descriptor 4
  mkfifo "$dir/said" "$dir/stop"
  "$@" < "$dir/stop" > "$dir/said" 2> "$dir/server.err" &
  server=$!
  pids+=($server)
  exec 4> "$dir/stop" 3< "$dir/said"
  began=$SECONDS
  hear
  [ "$word" = listening ] || { cat "$dir/server.err" >&2; exit 1; }
  url=$(sed 's/.*\(wss:[^"]*\).*/\1/' <<< "$rest" | sed 's/\\//g')
  note "$url"
}

hear() { # the server's next line, into $word and $rest
  local left=$((limit - SECONDS + began))
  if [ "$left" -le 0 ] || ! read -r -t "$left" word rest <&3; then
    note "nothing more was said, after $((SECONDS - began)) s of $limit"
    cat "$dir"/*.err >&2
    exit 1
  fi
}

failed=()
finish() { # waits for a process; kills it when the time is up
  while kill -0 "$1" 2>/dev/null; do
    if [ $((SECONDS - began)) -ge "$limit" ]; then
      note "$2 is not done within $limit s"
      kill -9 "$1" 2>/dev/null || true
    fi
    sleep 0.05
  done
  wait "$1" 2>/dev/null || failed+=("$2 ended with exit code $?")
}

field() { tail -n 1 "$dir/$1.err" | sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p"; }

verdict() { # what to say when nothing failed
  echo
  if [ ${#failed[@]} -gt 0 ]; then
    for reason in "${failed[@]}"; do echo "FAILED: $reason"; done
    for err in "$dir"/*.err; do grep -v '^{' "$err" | sed "s/^/  $(basename "$err" .err): /" || true; done
    exit 1
  fi
  echo "$1"
}
