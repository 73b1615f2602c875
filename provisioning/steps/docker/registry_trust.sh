file=/etc/docker/certs.d/$registry/ca.crt

check() {
    slurp "$file"
    fact ca := "$REPLY"
}

apply() {
    own_file "$file" 0644 "$ca"
}

revert() {
    disown_file "$file"
}
