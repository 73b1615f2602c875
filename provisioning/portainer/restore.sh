# On the host, as root: Portainer's data become those of a backup; what was there is kept, and comes back when it fails.
umask 077
container=portainer
helper=portainer-restore
volume=portainer_data
kept=/var/lib/hypercompose/portainer
image=$(docker inspect -f '{{.Config.Image}}' "$container")
at=$(docker volume inspect -f '{{.Mountpoint}}' "$volume")
room=$(mktemp -d /run/hypercompose-restore.XXXXXX)
copy=

ended() {
    local code=$?
    docker rm -f "$helper" >/dev/null 2>&1 || true
    rm -rf -- "$room"
    if [ "$code" -ne 0 ] && [ -n "$copy" ]; then
        find "$at" -mindepth 1 -delete
        tar -C "$at" -xpf "$copy"
    fi
    docker start "$container" >/dev/null || true
    exit "$code"
}
trap ended EXIT

asked() { # METHOD PATH TYPE BODY-FILE: the answer
    local place
    place=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$helper")
    {
        printf '%s %s HTTP/1.0\r\nHost: portainer\r\nContent-Type: %s\r\nContent-Length: %s\r\n\r\n' \
            "$1" "$2" "$3" "$(stat -c %s "$4")"
        cat "$4"
    } | timeout 120 openssl s_client -quiet -connect "$place:9443" 2>/dev/null | tr -d '\r'
}

docker stop -t 20 "$container" >/dev/null
mkdir -p -m 0700 "$kept"
copy="$kept/$(date -u +%Y%m%dT%H%M%SZ)-before-restore.tar"
tar -C "$at" -cf "$copy.new" .
mv -f -- "$copy.new" "$copy"
find "$at" -mindepth 1 -delete
docker run -d --name "$helper" --volume "$volume:/data" --volume /etc/hypercompose/portainer/tls:/tls:ro \
    --security-opt no-new-privileges --cap-drop ALL --memory 512m --read-only --tmpfs /tmp \
    "$image" --sslcert /tls/portainer.crt --sslkey /tls/portainer.key --http-disabled >/dev/null

boundary=hypercompose-$(cat /proc/sys/kernel/random/uuid)
: >"$room/nothing"
{
    printf -- '--%s\r\nContent-Disposition: form-data; name="password"\r\n\r\n%s\r\n' "$boundary" "$password"
    printf -- '--%s\r\nContent-Disposition: form-data; name="file"; filename="backup"\r\nContent-Type: application/octet-stream\r\n\r\n' "$boundary"
    base64 -d <<<"$archive"
    printf '\r\n--%s--\r\n' "$boundary"
} >"$room/form"

end=$((SECONDS + 60))
until asked GET /api/status text/plain "$room/nothing" | grep -q '^HTTP/1.. 200'; do
    [ "$SECONDS" -lt "$end" ] || { docker logs --tail 5 "$helper" >&2 && echo "a server without data does not answer" >&2 && exit 1; }
    sleep 0.5
done
answer=$(asked POST /api/restore "multipart/form-data; boundary=$boundary" "$room/form")
if ! head -n 1 <<<"$answer" | grep -q '^HTTP/1.. 20'; then
    echo "Portainer said: ${answer##*$'\n'}" >&2
    exit 1
fi
docker stop -t 20 "$helper" >/dev/null
echo "$copy"
