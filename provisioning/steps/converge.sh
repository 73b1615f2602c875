# Brings one step about: looks, acts only where something differs, looks again.
exec 9>/run/hypercompose.lock
flock -w "$hc_lock_timeout_s" 9 || fail "another run is busy on this host for more than $hc_lock_timeout_s s; wait for it to end"
hc_running=/run/hypercompose
hc_check=$ours/checks/$step.sh
hc_already=$ours/already-so/$step
install -d -m 0700 -- "$ours" "$ours/checks" "$ours/already-so" "$hc_running"
rm -f -- "$hc_check".*.new

# The minute of an earlier run is over; in a resumed one it still counts, until somebody has knocked.
if [ "$hc_resumed" = no ] && [ -e "$hc_running/$step.undo" ]; then
    systemctl -q stop "hypercompose-undo-$step.timer" 2>/dev/null || true
    rm -f -- "$hc_running/$step.undo"
fi

hc_look() { timeout 120 bash -- "$hc_check" | LC_ALL=C sort; }
hc_is_wanted() { [ "$(grep -v $'^#\t' <<<"$hc_now" || true)" = "$hc_wanted" ]; }

hc_act() {
    written=
    trap '[ -z "$written" ] || rm -f -- "$written"' EXIT
    apply
}

if [ "$hc_resumed" = yes ] && [ -e "$hc_running/$step" ]; then
    hc_now=$(hc_look) # the connection was cut, the machine was not restarted: what ran has ended by now, it is not run again
    printf 'resumed\n%s\n' "$hc_now"
    exit 0
fi
: >"$hc_running/$step"
hc_first=no
[ -e "$hc_check" ] || hc_first=yes
printf %s "$hc_check_program" >"$hc_check.$$.new"
mv -f -- "$hc_check.$$.new" "$hc_check"
hc_now=$(hc_look)
if hc_is_wanted; then
    # So before us: then it stays so after us, and the revert has nothing to take back.
    [ "$hc_first" = no ] || printf %s "$hc_wanted" >"$hc_already"
    printf 'unchanged\n%s\n' "$hc_now"
else
    if [ -e "$hc_already" ]; then
        if [ "$(cat -- "$hc_already")" = "$hc_wanted" ]; then
            ours=$(mktemp -d "$hc_running/healing.XXXXXX") # what somebody has made of it is nothing to go back to
            before=$ours/before/$step
        else
            rm -f -- "$hc_already"
        fi
    fi
    hc_log=$hc_running/$step.log
    if [ -n "$hc_undo_program" ]; then
        (umask 077 && printf %s "$hc_undo_program" >"$hc_running/$step.undo")
        systemd-run -q --collect --unit="hypercompose-undo-$step" --on-active=60 --timer-property=AccuracySec=1s \
            bash "$hc_running/$step.undo"
    fi
    set +e
    # a file, not the connection: a cut line must not end a package manager half way. 9: what it starts holds no lock
    (set -euo pipefail; hc_act) >"$hc_log" 2>&1 9>&-
    hc_code=$?
    set -e
    rm -rf -- "$hc_running"/healing.*
    logger -t hypercompose -- "$step: apply ended with $hc_code" || true
    if [ "$hc_code" -ne 0 ]; then
        tail -n 12 -- "$hc_log" >&2
        exit "$hc_code"
    fi
    hc_now=$(hc_look)
    printf 'changed\n%s\n' "$hc_now"
fi
rm -f -- "$hc_running/$step"
