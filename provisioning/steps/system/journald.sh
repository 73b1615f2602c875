file=/etc/systemd/journald.conf.d/zz-hypercompose.conf # after the distribution's own syslog.conf

check() {
    local settings name value
    settings=$(systemd-analyze cat-config systemd/journald.conf)
    for name in "${!given[@]}"; do
        case $name in
            max_use_mib) value=$(effective SystemMaxUse) value=${value%M} ;;
            max_retention_days) value=$(effective MaxRetentionSec) value=${value%day} ;;
            forward_to_syslog)
                value=$(effective ForwardToSyslog)
                case $value in yes | on | 1) value=true ;; no | off | 0) value=false ;; esac
                ;;
        esac
        fact "$name" := "$value"
    done
    fact file := "$(file_state "$file" 0644 "$content")"
    fact journald := "$([ -e "$due" ] && echo 'has not read it' || echo 'reads it')"
}

effective() { # KEY: the last file that sets it wins
    sed -n "s/^$1=//p" <<<"$settings" | tail -n 1
}

apply() {
    : >"$due"
    own_file "$file" 0644 "$content"
    restart_journald
    rm -f -- "$due"
}

revert() {
    disown_file "$file"
    restart_journald
}

restart_journald() {
    systemctl reset-failed systemd-journald # a few changes in a minute are no reason to stay down
    systemctl restart systemd-journald
}
