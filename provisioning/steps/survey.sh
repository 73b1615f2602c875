# All checks that this host keeps, side by side, in one round trip. Each answers with the hash of the program that it was.
if cd /var/lib/hypercompose/checks 2>/dev/null; then
    answers=$(mktemp -d /run/hypercompose.XXXXXX)
    trap 'rm -rf -- "$answers"' EXIT
    shopt -s nullglob
    for file in *.sh; do
        {
            code=0
            timeout 120 bash -- "$file" >"$answers/$file.out" 2>"$answers/$file.err" </dev/null || code=$?
            echo "$code" >"$answers/$file.code"
        } &
    done
    wait
    for file in *.sh; do
        printf 'check %s %s\n' "$(sha256sum <"$file" | cut -c 1-64)" "$(cat "$answers/$file.code")"
        sed 's/^/> /' "$answers/$file.out"
        tail -n 5 "$answers/$file.err" | sed 's/^/! /'
    done
fi
