#!/bin/sh
# Makes everything secret that the examples need, once:   sh examples/deploy/make-secrets.sh FOLDER
# Needs the built repository and openssl. Prints the password of the status page; it is kept as a hash only.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
folder=${1:?"name the folder that gets the secrets, for example $here/secrets"}
node=$root/node_modules/node/bin/node

if [ -e "$folder/orthanc-password" ]; then
  echo "$folder holds secrets already; remove it to make others" >&2
  exit 1
fi
umask 077
mkdir -p "$folder"
random() { openssl rand -hex 16; }

orthanc=$(random)
printf '%s\n' "$orthanc" > "$folder/orthanc-password"
printf '{ "RegisteredUsers": { "bridge": "%s" } }\n' "$orthanc" > "$folder/orthanc-users.json"

"$node" "$root/server/dist/main.js" keys add bridge --keys-file "$folder/host-keys.json" |
  tail -n 1 > "$folder/host-api-key"

postgres=$(random)
printf '%s\n' "$postgres" > "$folder/postgres-password"
printf 'postgres://cipherdose:%s@postgres:5432/cipherdose\n' "$postgres" > "$folder/postgres-url"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj /CN=cipherdose-bridge \
  -addext "subjectAltName=DNS:localhost,DNS:$(hostname),IP:127.0.0.1" \
  -keyout "$folder/page.key" -out "$folder/page.crt" 2> /dev/null

page=$(random)
printf '%s\n' "$page" | "$node" "$root/orthanc-bridge/dist/main.js" hash-password > "$folder/page-password-hash"
echo "status page: name admin, password $page"
