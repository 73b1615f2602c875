# As root: what is done with one named volume on its way to another project. `archive` is where it lies in between.
room=/var/lib/hypercompose/moving
archive=$room/$target.tar.gz
umask 077
mkdir -p "$room"

inside() { docker volume inspect --format '{{.Mountpoint}}' "$1"; }

case $what in
list)
    docker volume ls --quiet --filter "label=com.docker.compose.project=$project" | while read -r name; do
        docker volume inspect --format \
            '{{index .Labels "com.docker.compose.volume"}} {{.Name}} {{.Driver}} {{len .Options}}' "$name"
    done
    ;;
exists)
    if docker volume inspect "$target" >/dev/null 2>&1 && [ ! -e "$room/$target.begun" ]; then echo yes; fi
    ;;
pack)
    users=$(docker ps --filter "volume=$volume" --format '{{.Names}}' | tr '\n' ' ')
    [ -z "$users" ] || { echo "in use by $users; stop them first" >&2; exit 1; }
    tar -C "$(inside "$volume")" --numeric-owner --xattrs -cf - . | gzip -1 >"$archive"
    stat --format %s "$archive"
    ;;
read)
    dd if="$archive" bs=1M iflag=skip_bytes,count_bytes skip="$offset" count="$size" status=none | base64
    ;;
unpack)
    [ "$(stat --format %s "$archive")" = "$size" ] || { echo "the archive is not whole" >&2; exit 1; }
    : >"$room/$target.begun"
    docker volume create --label "com.docker.compose.project=$project" --label "com.docker.compose.volume=$key" \
        "$target" >/dev/null
    place=$(inside "$target")
    find "$place" -mindepth 1 -delete
    tar -C "$place" --numeric-owner --xattrs -xzf "$archive"
    rm -f "$room/$target.begun" "$archive"
    ;;
forget)
    rm -f "$archive"
    rmdir "$room" 2>/dev/null || true
    ;;
esac
