# Everything of a host that somebody else could miss, one fact a line: run before us and after us, the two must be the same.
cd /
find etc root home srv usr/lib/systemd usr/local var/spool -xdev \( -path etc/.pwd.lock -o -path etc/group- -o -path etc/gshadow- \
    -o -path etc/passwd- -o -path etc/shadow- -o -path 'etc/sub?id-' \) -prune -o -type f -printf '%m %U %G %p ' -exec sha256sum {} \; |
    awk '{ print "file", $4, $1, $2, $3, $5 }' | sort
find etc root home srv usr/local var/lib/hypercompose -xdev \( -type d -o -type l \) -printf 'folder or link %p\n' 2>/dev/null | sort
dpkg-query -W -f 'package ${Package} ${Version} ${db:Status-Abbrev}\n'
apt-mark showhold | sed 's/^/held /'
systemctl list-unit-files --no-legend | awk '!/transient/ { print "unit", $1, $2 }'
systemctl list-units --no-legend --plain --state=active --type=service,timer,mount |
    awk '!/^run-|user@|session|polkit|hostnamed|timedated|localed|systemd-logind/ { print "active", $1 }'
firewall-cmd --list-all-zones | sed 's/ *$//; s/^/firewalld /'
nft list tables | sort
docker ps -aq 2>/dev/null | xargs -r docker inspect -f 'container {{.Name}} {{.Id}} {{.State.StartedAt}} {{.State.Pid}}'
sysctl net.ipv4.tcp_syncookies net.ipv4.tcp_fin_timeout net.ipv4.ip_forward
echo "name $(hostnamectl --static), zone $(timedatectl show -p Timezone --value)"
crontab -u carol -l | sed 's/^/cron /'
