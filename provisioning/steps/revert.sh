# Takes one step back. Safe where it never ran, or stopped half way.
exec 9>/run/hypercompose.lock
flock -w "$hc_lock_timeout_s" 9 || fail "another run is busy on this host for more than $hc_lock_timeout_s s; wait for it to end"
if [ -d "$ours" ]; then
    hc_running=/run/hypercompose
    install -d -m 0700 -- "$hc_running"
    if [ -e "$hc_running/$step.undo" ]; then systemctl -q stop "hypercompose-undo-$step.timer" 2>/dev/null || true; fi
    set +e
    (set -euo pipefail; [ -e "$ours/already-so/$step" ] || revert) >"$hc_running/$step.log" 2>&1 9>&-
    hc_code=$?
    set -e
    logger -t hypercompose -- "$step: revert ended with $hc_code" || true
    if [ "$hc_code" -ne 0 ]; then
        tail -n 12 -- "$hc_running/$step.log" >&2
        exit "$hc_code"
    fi
    rm -rf -- "$before" "$ours/checks/$step.sh" "$ours/already-so/$step" "$hc_running/$step" "$hc_running/$step".*
    find "$ours" -depth -type d -empty -delete
fi
