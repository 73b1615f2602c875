# own_certificate FOLDER NAME ADDRESS SUBJECT: NAME.crt with a key that never leaves the host. Whoever reads the certificate
# over SSH with a pinned key may trust it.
own_certificate() {
    local folder=$1 name=$2 address=$3 subject=$4 san
    own_folder "$folder" 0700
    case $address in
        *:*) san=IP:$address ;;
        *[!0-9.]*) san=DNS:$address ;;
        *) san=IP:$address ;;
    esac
    if [ -s "$folder/$name.crt" ] && [ "$(cat "$folder/name" 2>/dev/null)" = "$san" ] &&
        openssl x509 -in "$folder/$name.crt" -noout -checkend 2592000 >/dev/null; then
        return 0
    fi
    (
        umask 077
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$subject" \
            -addext "subjectAltName=$san" -addext basicConstraints=critical,CA:FALSE \
            -keyout "$folder/$name.key.new" -out "$folder/$name.crt.new" 2>/dev/null
    )
    mv -f -- "$folder/$name.key.new" "$folder/$name.key"
    printf %s "$san" >"$folder/name"
    mv -f -- "$folder/$name.crt.new" "$folder/$name.crt"
}
