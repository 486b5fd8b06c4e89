#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks an exported journal with a C compiler and openssl: sh verify.sh [ville-ca.pem]
# 1. every signed head carries the signature of its certificate (and that one the city's, when it is given);
# 2. every line follows from the one before, and the signed lines are those of the heads.
set -eu
cd "$(dirname "$0")"
ca=${1:-}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for head in heads/*.txt; do
    [ -e "$head" ] || { echo "BAD: no signed head"; exit 1; }
    of=${head%.txt}
    [ -z "$ca" ] || openssl verify -CAfile "$ca" "$of.pem" >/dev/null || { echo "BAD: $of.pem is not the city's"; exit 1; }
    openssl x509 -in "$of.pem" -pubkey -noout >"$tmp/pub"
    openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -verify "$tmp/pub" \
        -signature "$of.sig" "$head" >/dev/null || { echo "BAD: the signature of $head does not fit"; exit 1; }
done
cc -o "$tmp/verify_journal" verify_journal.c -lcrypto
"$tmp/verify_journal" journal.tsv heads/*.txt
