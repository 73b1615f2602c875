# Takes one step back. Safe where it never ran, or stopped half way.
exec 9>/run/hypercompose.lock
flock -w "$lock_timeout_s" 9 || fail "another run is busy on this host for more than $lock_timeout_s s; wait for it to end"
if [ -d "$ours" ]; then
    running=/run/hypercompose
    install -d -m 0700 -- "$running"
    set +e
    (set -euo pipefail; revert) >"$running/$step.log" 2>&1 9>&-
    code=$?
    set -e
    logger -t hypercompose -- "$step: revert ended with $code" || true
    if [ "$code" -ne 0 ]; then
        tail -n 12 -- "$running/$step.log" >&2
        exit "$code"
    fi
    rm -rf -- "$before" "$ours/checks/$step.sh" "$running/$step" "$running/$step".*
    find "$ours" -depth -type d -empty -delete
fi
