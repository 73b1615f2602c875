check() {
    if getent group "$group" >/dev/null; then fact group := present; else fact group := absent; fi
    [ -z "$gid" ] || fact gid := "$(getent group "$group" | cut -d: -f3)"
}

apply() {
    if getent group "$group" >/dev/null; then
        remembered ours || fail "the group $group is there already with another gid; leave gid out, or choose another name"
        groupmod -g "$gid" "$group"
    else
        remember ours yes # before it is there: one that was made by a run that was cut off is ours as well
        groupadd ${gid:+-g "$gid"} "$group" || { forget ours && fail "the group $group could not be made"; }
    fi
}

revert() {
    if remembered ours && getent group "$group" >/dev/null; then groupdel "$group"; fi
}
