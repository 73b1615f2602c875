settings=/etc/hypercompose/gate
program_file=/usr/local/lib/hypercompose/gate.pyz
command_file=/usr/local/sbin/hypercompose-gate
unit=hypercompose-gate.service
unit_file=/etc/systemd/system/$unit

check() {
    fact service := "$(unit_state "$unit")"
    fact program := "$(sum_of "$program_file")"
    fact settings := "$(sum_of "$settings/gate.json")"
    fact unit := "$(file_state "$unit_file" 0644 "$unit_text")"
    note certificate := "$(cat "$settings/tls/gate.crt" 2>/dev/null || true)"
}

sum_of() { if [ -e "$1" ]; then sha256sum "$1" | cut -c 1-64; else echo absent; fi; }

apply() {
    local package python
    for package in git openssl; do need "$package"; done
    python=$(a_python)
    own_folder "$settings" 0700
    own_folder "$settings/stacks" 0700
    own_certificate "$settings/tls" gate "$address" 'Hypercompose gate'
    (umask 077 && printf %s "$settings_text" >"$settings/gate.json.new")
    mv -f -- "$settings/gate.json.new" "$settings/gate.json"
    own_folder "$(dirname "$program_file")"
    base64 -d <<<"$program_text" >"$program_file.new"
    mv -f -- "$program_file.new" "$program_file"
    own_file "$command_file" 0755 "#!/bin/sh
exec $python -I -B $program_file \"\$@\"
"
    own_file "$unit_file" 0644 "$unit_text"
    systemctl daemon-reload
    systemctl enable -q "$unit"
    systemctl reset-failed "$unit" 2>/dev/null || true
    systemctl restart "$unit"
    answers || { journalctl -u "$unit" -n 6 -o cat --no-pager >&2 && fail "$unit does not answer on port $port"; }
}

need() { # PACKAGE
    if ! installed "$1"; then
        install_packages "$1"
        remember "package.$1" ours
    fi
}

# The first Python of 3.11 or later; on older systems a package of its own has it.
a_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if is_new "$name"; then command -v "$name" && return; fi
    done
    need python3.11 >&2
    is_new python3.11 || fail 'the gate needs Python 3.11 or later; this system has none of it'
    command -v python3.11
}
is_new() { "$1" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

answers() {
    local left
    for left in {1..40}; do
        if curl -sfk --noproxy '*' --max-time 2 "https://${bind:-127.0.0.1}:$port/health" >/dev/null 2>&1 ||
            [ -z "$(command -v curl)" ] && systemctl -q is-active "$unit"; then
            return 0
        fi
        sleep 0.25
    done
    return 1
}

revert() {
    local package
    systemctl disable -q --now "$unit" 2>/dev/null || true
    disown_file "$unit_file"
    systemctl daemon-reload
    disown_file "$command_file"
    rm -f -- "$program_file"
    disown_folder "$(dirname "$program_file")"
    rm -rf -- "${settings:?}/tls" "$settings/stacks" "$settings/gate.json" /var/lib/hypercompose-gate
    disown_folder "$settings/tls"
    disown_folder "$settings/stacks"
    disown_folder "$settings"
    for package in git openssl python3.11; do
        if remembered "package.$package"; then
            remove_packages "$package"
            forget "package.$package"
        fi
    done
}
