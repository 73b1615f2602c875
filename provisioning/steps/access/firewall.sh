folder=/etc/firewalld
at=/org/fedoraproject/FirewallD1
runtime=org.fedoraproject.FirewallD1
declare -A getter=([policy]=getPolicySettings [zone]=getZoneSettings2) setter=([policy]=setPolicySettings [zone]=setZoneSettings2)

ssh_port() { sshd -T 2>/dev/null | awk '$1 == "port" { print $2; exit }'; }

# live policy|zone NAME: what firewalld goes by now, as busctl prints it; firewall-cmd takes twenty times as long.
live() { busctl call "$runtime" "$at" "$runtime.$1" "${getter[$1]}" s "$2" 2>/dev/null; }

# words TEXT: of what busctl prints, one a line.
words() { { grep -oE '"([^"\\]|\\.)*"|[^" ]+' <<<"$1" || true; } | sed 's/^"//; s/"$//; s/\\\(["\\]\)/\1/g'; }

# settings TEXT: the a{sv} as lines of key, tab, value; pairs as 443/tcp.
settings() {
    words "$1" | awk '{ word[NR] = $0 } END {
        for (i = 3; i <= NR;) {
            key = word[i]; type = word[i + 1]; i += 2; count = 1; width = 1
            if (type ~ /^a/) count = word[i++]
            if (type ~ /^a\(/) width = length(type) - 3
            for (; count > 0; count--) {
                value = word[i++]
                for (n = 1; n < width; n++) value = value "/" word[i++]
                print key "\t" value
            }
        }
    }'
}

# changeable TEXT RULES: of the a{sv}, what may be set at run time, as arguments for busctl; its rich rules are called RULES.
changeable() {
    words "$1" | awk -v rules="$2" '
        BEGIN {
            all = "services ports protocols source_ports forward_ports icmp_blocks icmp_block_inversion"
            split(all " masquerade forward interfaces sources " rules, list, " ")
            for (n in list) may[list[n]] = 1
            none["services"] = none["protocols"] = none[rules] = "as"
            none["ports"] = "a(ss)"
        }
        { word[NR] = $0 }
        END {
            for (i = 3; i <= NR;) {
                first = i; key = word[i]; type = word[i + 1]; i += 3
                if (type ~ /^a/) i += word[i - 1] * (type == "as" ? 1 : length(type) - 3)
                if (!(key in may)) continue
                count++
                delete none[key]
                for (n = first; n < i; n++) out = out word[n] "\n"
            }
            for (key in none) { count++; out = out key "\n" none[key] "\n0\n" }
            printf "%d\n%s", count, out
        }'
}

check() {
    local port now= name active
    port=$(ssh_port)
    active=$(unit_state firewalld.service)
    if [[ $active = *' active' ]]; then now=$(settings "$(live policy hypercompose)"); fi
    fact 'open ports' :: $(pick ports)
    found_rules
    fact 'also open' :: $({ pick services && pick protocols; } | LC_ALL=C sort)
    fact 'all else' := "$(pick target)"
    for name in "${zones[@]}"; do found_zone "$name"; done
    fact files := "$(files_state)"
    fact firewalld := "$active"
}

pick() { sed -n "s/^$1\t//p" <<<"$now" | LC_ALL=C sort; } # KEY, of $now

# The port of SSH is known on the host alone: a rule that is wanted is told as it was asked for.
found_rules() {
    local rule have=() found=()
    mapfile -t have < <(pick rich_rules)
    for rule in "${rules[@]}"; do
        ! contains "${rule//\"ssh\"/\"$port\"}" "${have[@]}" || found+=("$rule")
    done
    for rule in "${have[@]}"; do
        contains "$rule" "${rules[@]//\"ssh\"/\"$port\"}" || found+=("$rule")
    done
    fact rules :: "${found[@]}"
}

found_zone() { # ZONE
    local now='' key device devices=()
    if [[ $active = *' active' ]]; then now=$(settings "$(live zone "$1")"); fi
    for device in $(pick interfaces); do # somebody may bring others into it
        case " ${interfaces[$1]} " in *" $device "*) devices+=("$device") ;; esac
    done
    fact zone "$1" interfaces :: "${devices[@]}"
    for key in ports services sources; do fact zone "$1" "$key" :: $(pick "$key"); done
    fact zone "$1" target := "$(pick target)"
    if [ -n "${files["policies/hc-$1.xml"]+there}" ]; then
        now=
        if [[ $active = *' active' ]]; then now=$(settings "$(live policy "hc-$1")"); fi
        fact policy "hc-$1" 'lets in' :: $({ pick ports && pick services; } | LC_ALL=C sort)
        fact policy "hc-$1" target := "$(pick target)"
    fi
}

files_state() {
    local name one state='as written'
    for name in "${!files[@]}"; do
        one=$(file_state "$folder/$name" 0644 "${files[$name]//@SSH@/${port:-22}}")
        [ "$one" = 'as written' ] || state="$name $one"
    done
    for name in $(left_over); do state="$name left over"; done
    echo "$state"
}

our_files() { remembered_below file. | tr : /; }

left_over() { # files that are ours and that nobody asks for any more
    local name
    for name in $(our_files); do
        [ -n "${files[$name]+there}" ] || echo "$name"
    done
}

apply() {
    local name port
    port=$(ssh_port)
    refuse_others
    refuse_lock_out
    keep_unit firewalld.service
    if ! command -v firewall-cmd >/dev/null; then
        remember package ours
        install_packages firewalld
    fi
    try_files
    for name in $(left_over); do
        disown_file "$folder/$name"
        forget "file.${name//\//:}"
    done
    for name in "${!files[@]}"; do
        remember "file.${name//\//:}" ours
        own_file "$folder/$name" 0644 "${files[$name]//@SSH@/${port:-22}}"
    done
    systemctl enable -q firewalld.service
    if systemctl is-active -q firewalld.service; then reload; else systemctl restart firewalld.service; fi
}

refuse_others() {
    local name
    # the unit of ufw is active wherever the package is installed
    if grep -qsi '^ENABLED=["'\'']\?yes' /etc/ufw/ufw.conf; then
        fail "ufw is active on this host, and two firewalls on one host undo each other; run \`ufw disable\`, or leave out baseline.firewall"
    fi
    [[ $(unit_state firewalld.service) != masked* ]] || fail "firewalld is masked on this host: run \`systemctl unmask firewalld\`, or leave out baseline.firewall"
    for name in "${!files[@]}"; do
        if ! remembered "file.${name//\//:}" && { [ -e "$folder/$name" ] || [ -e "/usr/lib/firewalld/$name" ]; }; then
            fail "firewalld has a file $name that is not ours; choose another name for the zone"
        fi
    done
}

# Where it is not known whence we come, the new connection that is tried afterwards tells.
refuse_lock_out() {
    local client=${SSH_CONNECTION:-}
    client=${client%% *}
    [ -n "$client" ] && [ ${#ssh_sources[@]} -gt 0 ] && command -v python3 >/dev/null || return 0
    python3 -Ic '
import ipaddress, sys
client = ipaddress.ip_address(sys.argv[1].partition("%")[0])
client = getattr(client, "ipv4_mapped", None) or client
sys.exit(not any(client in ipaddress.ip_network(network) for network in sys.argv[2:]))' "$client" "${ssh_sources[@]}" ||
        fail "ssh_sources: ${ssh_sources[*]} do not hold $client, the address that we come from; add it, or we would be locked out"
}

# In a copy of the folder: what firewalld refuses never gets near the real one.
try_files() {
    local name code=0
    rm -rf -- /run/hypercompose/firewalld
    cp -a -- "$folder" /run/hypercompose/firewalld
    for name in $(left_over); do rm -f -- "/run/hypercompose/firewalld/$name"; done
    mkdir -p -- /run/hypercompose/firewalld/{policies,zones}
    for name in "${!files[@]}"; do printf %s "${files[$name]//@SSH@/${port:-22}}" >"/run/hypercompose/firewalld/$name"; done
    firewall-offline-cmd --system-config /run/hypercompose/firewalld --check-config || code=$?
    rm -rf -- /run/hypercompose/firewalld
    [ "$code" -ne 0 ] || return 0
    firewall-offline-cmd --check-config >/dev/null 2>&1 ||
        fail "firewalld's configuration is broken already; mend that first (firewall-cmd --check-config), nothing was changed"
    fail "firewalld refuses these settings; nothing was changed"
}

# A reload forgets what somebody has changed at run time alone, a ban for one: that is given back.
reload() {
    local what name text rules_of
    local -A former=()
    for what in zone policy; do
        for name in $(names_of "$what"); do former[$what $name]=$(live "$what" "$name"); done
    done
    firewall-cmd -q --reload
    for name in "${!former[@]}"; do
        what=${name%% *} text=${former[$name]}
        [ "$text" != "$(live "$what" "${name#* }")" ] || continue
        if [ "$what" = zone ]; then rules_of=rules_str; else rules_of=rich_rules; fi
        mapfile -t text < <(changeable "$text" "$rules_of")
        busctl -q call "$runtime" "$at" "$runtime.$what" "${setter[$what]}" 'sa{sv}' "${name#* }" "${text[@]}" ||
            echo "$name: what was changed at run time alone could not be given back"
    done
}

names_of() { # zone|policy: those that are not ours
    local name method=getZones folder_of=zones
    if [ "$1" = policy ]; then method=getPolicies folder_of=policies; fi
    for name in $(words "$(busctl call "$runtime" "$at" "$runtime.$1" "$method")" | tail -n +3); do
        remembered "file.$folder_of:$name.xml" || [ -n "${files["$folder_of/$name.xml"]+ours}" ] || echo "$name"
    done
}

revert() {
    local name
    for name in $(our_files); do disown_file "$folder/$name"; done
    if [[ $(recall unit.firewalld.service) = *' active' ]] && systemctl is-active -q firewalld.service; then reload; fi
    restore_unit firewalld.service
    if [ "$(recall package)" = ours ]; then remove_packages firewalld; fi
}
