container=hypercompose-router
folder=/etc/hypercompose/routes
file=$folder/$route.conf

check() {
    fact file := "$(file_state "$file" 0644 "$text")"
    fact 'in use' := "$(in_use)"
}

in_use() {
    local now
    now=$(timeout 20 docker exec "$container" sha256sum -- "/tmp/router/live/$route.conf" 2>/dev/null | cut -c 1-64)
    if [ -n "$now" ] && [ "$now" = "$(sha256sum -- "$file" 2>/dev/null | cut -c 1-64)" ]; then echo yes; else echo no; fi
}

apply() {
    [ -d "$folder" ] && runs || fail "there is no router here that runs; name \`routes\` under this host in hypercompose:hosting of its environment, and bring that up"
    own_file "$file" 0644 "$text" accepted
    timeout 60 docker exec "$container" route-take "$route"
}

runs() { [ "$(timeout 20 docker inspect -f '{{.State.Running}}' "$container" 2>/dev/null)" = true ]; }
accepted() { timeout 60 docker exec -i "$container" route-check <"$1"; }

revert() {
    disown_file "$file"
    if command -v docker >/dev/null && runs; then timeout 60 docker exec "$container" route-take; fi
}
