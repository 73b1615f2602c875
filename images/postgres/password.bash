# The password: where it comes from, and how it gets into the cluster. It is never an argument of a program.

# Set `password` from POSTGRES_PASSWORD_FILE or POSTGRES_PASSWORD.
read_password() {
  local file=${POSTGRES_PASSWORD_FILE:-} lines
  if [[ -n $file && -n ${POSTGRES_PASSWORD+set} ]]; then
    fail "POSTGRES_PASSWORD_FILE and POSTGRES_PASSWORD are both set; set one of them"
  elif [[ -n $file ]]; then
    [[ -r $file ]] || fail "POSTGRES_PASSWORD_FILE: $file cannot be read by uid $(id -u); mount it, readable for that uid"
    mapfile -t lines < "$file"
  else
    mapfile -t lines <<< "${POSTGRES_PASSWORD:-}"
  fi
  [[ ${#lines[@]} -le 1 ]] || fail "the password holds a line end; only one at the very end of its file is left out"
  password=${lines[0]:-}
  [[ -n $password ]] || fail "there is no password; set POSTGRES_PASSWORD_FILE to a file with one"
  [[ $password != *[[:cntrl:]]* ]] || fail "the password holds a control character"
  iconv -f UTF-8 -t UTF-8 <<< "$password" >/dev/null 2>&1 || fail "the password is not text in UTF-8"
}

# Run SQL of standard input, a statement a line, in the cluster in folder $1: nothing can connect meanwhile.
# A killed server leaves a lock with its process id, which is this shell's now; the variable says that it is not alive.
single_user() {
  local said
  said=$(PG_GRANDPARENT_PID=$$ postgres --single -D "$1" -c exit_on_error=true -c log_min_error_statement=panic -c log_statement=none \
    -c unix_socket_directories= postgres 2>&1 >/dev/null) || { printf '%s\n' "$said" >&2; return 1; }
}

# Give the user its password in the cluster in folder $1.
apply_password() {
  printf "ALTER ROLE \"%s\" PASSWORD '%s'\n" "$user" "${password//\'/\'\'}" | single_user "$1"
}
