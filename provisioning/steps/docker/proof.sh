container=hypercompose-proof

check() {
    local now
    now=$(timeout 20 docker image inspect -f '{{.Id}}' "$image" 2>/dev/null || true)
    now+=" $(timeout 20 docker version -f '{{.Server.Version}}' 2>/dev/null || true)"
    case $now in
        "$(recall proof)") fact proof := given ;;
        *' ') fact proof := 'unknown, as Docker does not run' ;;
        *) fact proof := 'not for this image and this Docker' ;;
    esac
    note image := "$now"
}

apply() {
    docker pull -q "$image"
    docker rm -f -v "$container" >/dev/null 2>&1 || true
    trap 'docker rm -f -v "$container" >/dev/null 2>&1 || true' EXIT
    if [ -n "$port" ]; then
        docker run -d --name "$container" -p "127.0.0.1::$port" "$image" >/dev/null
        answers || { said && fail "$image does not answer HTTP on port $port within $answer_timeout_s s"; }
    else
        timeout "$answer_timeout_s" docker run --name "$container" "$image" ||
            fail "$image ended with $?, expected 0 within $answer_timeout_s s"
    fi
    forget proof
    remember proof "$(docker image inspect -f '{{.Id}}' "$image") $(docker version -f '{{.Server.Version}}')"
}

answers() {
    local at status end=$((SECONDS + answer_timeout_s))
    at=$(docker port "$container" "$port" | head -n 1)
    while [ "$SECONDS" -lt "$end" ] && [ "$(docker inspect -f '{{.State.Running}}' "$container")" = true ]; do
        status=$( (exec 3<>"/dev/tcp/${at%:*}/${at##*:}" && printf 'GET %s HTTP/1.0\r\nHost: proof\r\n\r\n' "$path" >&3 &&
            timeout 5 head -n 1 <&3) 2>/dev/null || true)
        case $status in HTTP/1.?' '[23]*) return 0 ;; esac
        sleep 0.2
    done
    return 1
}

said() {
    docker logs --tail 6 "$container" 2>&1
}

revert() {
    docker rm -f -v "$container" >/dev/null 2>&1 || true
}
