# Brings one step about: looks, acts only where something differs, looks again.
exec 9>/run/hypercompose.lock
flock -w "$lock_timeout_s" 9 || fail "another run is busy on this host for more than $lock_timeout_s s; wait for it to end"
running=/run/hypercompose
install -d -m 0700 -- "$ours" "$ours/checks" "$running"
rm -f -- "$ours/checks/$step".*.new

look() { timeout 120 bash -- "$ours/checks/$step.sh" | LC_ALL=C sort; }

act() {
    written=
    trap '[ -z "$written" ] || rm -f -- "$written"' EXIT
    apply
}

if [ "$resumed" = yes ] && [ -e "$running/$step" ]; then
    now=$(look) # the connection was cut, the machine was not restarted: what ran has ended by now, it is not run again
    printf 'resumed\n%s\n' "$now"
    exit 0
fi
: >"$running/$step"
printf %s "$check_program" >"$ours/checks/$step.$$.new"
mv -f -- "$ours/checks/$step.$$.new" "$ours/checks/$step.sh"
now=$(look)
if [ "$(grep -v $'^#\t' <<<"$now" || true)" = "$wanted" ]; then
    printf 'unchanged\n%s\n' "$now"
else
    log=$running/$step.log
    set +e
    # a file, not the connection: a cut line must not end a package manager half way. 9: what it starts holds no lock
    (set -euo pipefail; act) >"$log" 2>&1 9>&-
    code=$?
    set -e
    logger -t hypercompose -- "$step: apply ended with $code" || true
    if [ "$code" -ne 0 ]; then
        tail -n 12 -- "$log" >&2
        exit "$code"
    fi
    now=$(look)
    printf 'changed\n%s\n' "$now"
fi
rm -f -- "$running/$step"
