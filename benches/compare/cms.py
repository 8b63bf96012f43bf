#!/usr/bin/env python3
"""S/MIME of messages in memory: Sign and Encrypt through the C ABI beside libcrypto's CMS functions, and beside the bare signature and
its verification; one after the other, round by round.

usage: cms.py [--rounds N] [--write]
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import run as common

# name, key, what, count, size
CASES = [
    ("sign 1 KB, RSA-2048", "rsa", "sign", 1_000, 1_000),
    ("sign 1 KB, P-256", "ec", "sign", 1_000, 1_000),
    ("encrypt 1 KB to RSA-2048", "rsa", "encrypt", 1_000, 1_000),
    ("encrypt 1 KB to P-256", "ec", "encrypt", 1_000, 1_000),
    ("encrypt 10 MB, AES-256-CBC", "rsa", "encrypt", 40, 10_000_000),
    ("encrypt 10 MB, AES-256-GCM", "rsa", "gcm", 40, 10_000_000),
    ("sign 10 MB", "rsa", "sign", 40, 10_000_000),
]
GOALS = {"encrypt 10 MB, AES-256-GCM": 0.5, "encrypt 10 MB, AES-256-CBC": 0.85, "sign 10 MB": 0.85, "encrypt 1 KB to RSA-2048": 5.5,
         "encrypt 1 KB to P-256": 0.8}
# Microseconds that a message of 1 KB may cost over its signature and the verification of it.
OVER = 10


def people(folder, key, options):
    for name, address in (("me", "a@client.example"), ("you", "b@server.example")):
        common.run("openssl", "req", "-x509", *options, "-nodes", "-days", "30", "-subj", f"/CN={name}", "-addext",
                   f"subjectAltName=email:{address}", "-keyout", folder / f"{key}-{name}.key", "-out", folder / f"{key}-{name}.crt",
                   stderr=subprocess.DEVNULL)
    common.run("openssl", "pkcs12", "-export", "-inkey", folder / f"{key}-me.key", "-in", folder / f"{key}-me.crt", "-passout",
               "pass:secret", "-out", folder / f"{key}-me.pfx")
    common.run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", folder / f"{key}-me.key", "-outform", "DER", "-out", folder / f"{key}-me.der")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    common.build()
    for name, flags in {
        "cms_openssl": ["-lcrypto"],
        "cms_ssmtp": [f"-I{common.ROOT / 'include'}", f"-L{common.TARGET}", "-lssmtp", f"-Wl,-rpath,{common.TARGET}"],
    }.items():
        common.run("gcc", "-O2", "-Wall", "-Wno-unused-function", common.HERE / "clients" / f"{name}.c", "-o", common.CLIENTS / name, *flags)
    samples, bare = {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        people(folder, "rsa", ["-newkey", "rsa:2048"])
        people(folder, "ec", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])

        def measure(case, client, *arguments):
            done = common.run(common.CLIENTS / client, *arguments, stdout=subprocess.PIPE, text=True)
            samples.setdefault((case, client), []).append(json.loads(done.stdout)["cpu"] / int(arguments[0]) * 1e6)

        (folder / "octets").write_bytes(bytes(range(256)) * 4096)
        for _ in range(options.rounds):
            measure("Base64", "cms_openssl", 300, 1 << 20, "base64", folder / "rsa-me.crt", folder / "rsa-me.key", folder / "rsa-you.crt")
            done = common.run(common.TARGET / "bare", 300, "base64", folder / "octets", stdout=subprocess.PIPE, text=True)
            samples.setdefault(("Base64", "bare"), []).append(json.loads(done.stdout)["cpu"] / 300 * 1e6)
            for case, key, what, count, size in CASES:
                me, you = folder / f"{key}-me", folder / f"{key}-you.crt"
                measure(case, "cms_ssmtp", count, size, what, f"{me}.pfx", you)
                measure(case, "cms_openssl", count, size, what, f"{me}.crt", f"{me}.key", you)
                if what == "sign" and size == 1_000:
                    measure(f"the bare signature, {key}", "cms_openssl", count, size, "bare", f"{me}.crt", f"{me}.key", you)
                    done = common.run(common.TARGET / "bare", count, key, f"{me}.der", stdout=subprocess.PIPE, text=True)
                    bare.setdefault((case, key), []).append(json.loads(done.stdout))
    middle = statistics.median
    lines = [f"{options.rounds} rounds; CPU in µs a message, median.", "", "| case | libssmtp | libcrypto | ratio | bound |",
             "| --- | ---: | ---: | ---: | --- |"]
    for case, *_ in CASES:
        ours, theirs = samples[case, "cms_ssmtp"], samples[case, "cms_openssl"]
        ratio = middle(a / b for a, b in zip(ours, theirs))
        bound = GOALS.get(case)
        text = "" if bound is None else f"at most {bound}" + ("" if ratio <= bound else " (falls short)")
        lines.append(f"| {case} | {middle(ours):,.0f} | {middle(theirs):,.0f} | {ratio:.2f} | {text} |")
    for key in ("rsa", "ec"):
        lines.append(f"| OpenSSL's bare signature, {key} | | {middle(samples[f'the bare signature, {key}', 'cms_openssl']):,.0f} | | |")
    ours, theirs = samples["Base64", "bare"], samples["Base64", "cms_openssl"]
    ratio = middle(b / a for a, b in zip(ours, theirs))
    lines.append(f"| Base64 in lines of 76, 1 MiB: rate to OpenSSL's | {middle(ours):,.0f} | {middle(theirs):,.0f} | {ratio:.2f} | at least 3{'' if ratio >= 3 else ' (falls short)'} |")
    lines += ["", "| 1 KB | in all | ring's signature | its verification | what is left | bound |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    for (case, _), found in bare.items():
        ours = samples[case, "cms_ssmtp"]
        left = middle(a - b["sign"] - b["verify"] for a, b in zip(ours, found))
        sign, verify = (middle(b[what] for b in found) for what in ("sign", "verify"))
        missed = "" if left <= OVER else " (falls short)"
        lines.append(f"| {case} | {middle(ours):,.0f} | {sign:,.0f} | {verify:,.0f} | {left:,.1f} | at most {OVER}{missed} |")
    text = "\n".join(lines)
    sys.stdout.write(text + "\n")
    if options.write:
        common.put("cms", text)


if __name__ == "__main__":
    main()
