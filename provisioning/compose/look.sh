# On the host, as root: what compose makes of the files, who has which port, who has the project's name.
umask 077
room=$(mktemp -d /run/hypercompose-compose.XXXXXX)
trap 'rm -rf -- "$room"' EXIT
mkdir "$room/project"
for path in "${!files[@]}"; do
    case $path in */*) mkdir -p -- "$room/project/${path%/*}" ;; esac
    printf %s "${files[$path]}" >"$room/project/$path"
done
printf %s "$environment" >"$room/stack.env"
named=()
for path in "${order[@]}"; do named+=(--file "$room/project/$path"); done
compose=(docker compose --ansi never --project-name "$project" --project-directory "$room/project"
    --env-file "$room/stack.env" "${named[@]}")

if [ "$pull" = yes ]; then
    "${compose[@]}" pull --quiet --policy missing
    exit
fi
"${compose[@]}" config --format json >"$room/model.json"
printf '%s\n' "$room/project"
tr -d '\n' <"$room/model.json" && echo
ss -Hltun | awk '{ print $1 " " $5 }'
echo containers
docker ps --all --filter label=com.docker.compose.project \
    --format '{{.Label "com.docker.compose.project"}}|{{.State}}|{{.Ports}}'
