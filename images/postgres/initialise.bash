# The first start. All is made in a folder inside the volume and then moved up, PG_VERSION last:
# a folder with PG_VERSION is complete, and without it what lies beside the unfinished folder is ours to remove.

unfinished=$PGDATA/.unfinished

# True when the cluster is complete; what an interrupted first start left is removed.
initialised() {
  if [[ -e $PGDATA/PG_VERSION ]]; then
    rm -rf "$unfinished"
    return 0
  fi
  [[ -w $PGDATA ]] || fail "$PGDATA cannot be written by uid $(id -u); its volume must belong to that uid"
  if [[ -e $unfinished ]]; then
    echo "postgres: the first initialisation was interrupted; starting over" >&2
    find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found ! -path "$unfinished" -exec rm -rf {} +
    rm -rf "$unfinished"
  elif [[ -n $(find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit) ]]; then
    fail "$PGDATA holds files but no database cluster; empty it, or mount the right volume"
  fi
  return 1
}

# Make the cluster, the user and the database.
initialise() {
  chmod 0700 "$PGDATA" || fail "$PGDATA must belong to uid $(id -u)"
  mkdir "$unfinished"
  initdb --pgdata="$unfinished" --username=postgres --encoding=UTF8 --locale=C.UTF-8 --auth-local=peer \
    --auth-host=scram-sha-256 --no-sync >/dev/null || fail "initdb failed"
  printf '%s\n' 'local all postgres peer' 'local replication postgres peer' 'local all all scram-sha-256' \
    'host all all all scram-sha-256' > "$unfinished/pg_hba.conf"
  statements | single_user "$unfinished" || fail "the user and the database could not be made"
  apply_password "$unfinished" || fail "the password could not be applied"
  move_up
}

# The user owns its database and may make others; the superuser `postgres` comes in by the local socket only.
statements() {
  [[ $user == postgres ]] || printf 'CREATE ROLE "%s" LOGIN CREATEDB\n' "$user"
  [[ $database == postgres ]] || printf 'CREATE DATABASE "%s" OWNER "%s"\n' "$database" "$user"
}

move_up() {
  sync -f "$unfinished"
  find "$unfinished" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t "$PGDATA" {} +
  sync -f "$PGDATA"
  mv "$unfinished/PG_VERSION" "$PGDATA/"
  sync -f "$PGDATA"
  rmdir "$unfinished"
}
