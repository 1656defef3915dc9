"""Checks a proof from "tutela ledger prove", as: python verify_proof.py PROOF.json KEY.

Needs only Python and its package cryptography. KEY is the ledger's verifier key as you were given
it before ("tutela ledger key"), not by whoever gave you the proof. Prints the entry if all holds.
"""

import base64, hashlib, hmac, json, sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

proof, key = json.load(open(sys.argv[1])), sys.argv[2]
name, key_id, public = key.split("+", 2)
public = base64.b64decode(public)[1:]
assert hashlib.sha256(f"{name}\n\1".encode() + public).hexdigest()[:8] == key_id, "KEY is mistyped"

# The checkpoint is signed by the key (https://c2sp.org/signed-note).
text, signatures = proof["checkpoint"].split("\n\n")
signed = [line.split(" ") for line in signatures.splitlines()]
(signature,) = [base64.b64decode(last) for _, who, last in signed if who == name]
assert signature[:4].hex() == key_id, "the checkpoint is signed by another key"
Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], f"{text}\n".encode())
origin, size, root = text.split("\n")[:3]

# The entry is in the tree that has the checkpoint's root (RFC 9162, section 2.1.3.2).
found = hashlib.sha256(b"\0" + proof["leaf"].encode()).digest()
entry = json.loads(proof["leaf"])
place, last = entry[1], int(size) - 1
assert entry[0] == origin == name and 0 <= place <= last, "the entry is of another ledger"
for other in map(base64.b64decode, proof["inclusion"]):
    assert last > 0, "the proof is too long"
    if place & 1 or place == last:
        found = hashlib.sha256(b"\1" + other + found).digest()
        while not place & 1 and place:
            place, last = place >> 1, last >> 1
    else:
        found = hashlib.sha256(b"\1" + found + other).digest()
    place, last = place >> 1, last >> 1
assert last == 0 and found == base64.b64decode(root), "the entry is not in the signed ledger"

# The words, if they are shown, are those that the entry commits to.
if "words" in proof:
    salt = base64.b64decode(proof["salt"])
    assert hmac.new(salt, proof["words"].encode(), "sha256").hexdigest() == entry[10], "other words"
print("holds:", proof["leaf"], proof.get("words", ""))
