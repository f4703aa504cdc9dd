"""Runs Python's smtplib, one job at a time; the protocol is that of harness/clients/workers.ts.

It does what the smtplib and ssl documentation show: SMTP or SMTP_SSL as a context manager, starttls(context=...),
login(), sendmail(). The library believes that it talks to the peer by name: only the resolver's answer for that name is
replaced by the peer's address, so SNI and the name check are the library's own.
"""

import base64
import json
import os
import queue
import smtplib
import socket
import ssl
import sys
import threading

ANSWERS = os.fdopen(os.dup(1), "w", encoding="utf-8")
# a print() somewhere belongs to the log, not between the answers
os.dup2(2, 1)

RESOLVE = socket.getaddrinfo
ADDRESSES = {}


def resolve(host, *rest, **named):
    return RESOLVE(ADDRESSES.get(host, host), *rest, **named)


socket.getaddrinfo = resolve


def say(message):
    ANSWERS.write(json.dumps(message) + "\n")
    ANSWERS.flush()


def context_of(job):
    """The context that the policy asks for; the default one checks chain and name."""
    context = ssl.create_default_context(cafile=job["caFile"])
    if not job["check"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if job.get("certificate"):
        context.load_cert_chain(job["certificate"], job["key"])
    if job.get("ciphers"):
        context.set_ciphers(job["ciphers"])
    return context


class Session:
    """What the caller could see of the channel when the message was accepted."""

    encrypted = False


def deliver(job, session):
    options = {"local_hostname": job["ehlo"], "timeout": job["timeout"]}
    if job["tls"] == "connect":
        smtp = smtplib.SMTP_SSL(context=context_of(job), **options)
    else:
        smtp = smtplib.SMTP(**options)
    smtp.set_debuglevel(1)
    # the constructor's own steps when it is given a host, after the debug level
    smtp._host = job["hostName"]
    code, text = smtp.connect(job["hostName"], job["port"])
    if code != 220:
        smtp.close()
        raise smtplib.SMTPConnectError(code, text)
    with smtp:
        if job["tls"] == "offered":
            smtp.ehlo_or_helo_if_needed()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=context_of(job))
        elif job["tls"] == "always":
            smtp.starttls(context=context_of(job))
        if job.get("user") is not None:
            smtp.login(job["user"], job["password"])
        smtp.sendmail(job["from"], job["to"], base64.b64decode(job["message"]))
        session.encrypted = isinstance(smtp.sock, ssl.SSLSocket)


def code_of(error):
    """The reply code that the exception carries, where it carries one."""
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min((code for code, _ in error.recipients.values()), default=None)
    return None


def answer(job):
    session = Session()
    ADDRESSES[job["hostName"]] = job["address"]
    try:
        deliver(job, session)
        return {"delivered": True, "text": "sendmail() returned", "encrypted": session.encrypted}
    except Exception as error:  # whatever the library raises is its word to its caller
        reply = code_of(error)
        told = {"delivered": False, "text": f"{type(error).__name__}: {error}", "encrypted": session.encrypted}
        return told if reply is None else {**told, "code": reply}
    finally:
        ADDRESSES.clear()


def read_jobs(jobs):
    """Ends the process, whatever it does, when nobody can want its answer any more."""
    for line in sys.stdin:
        jobs.put(json.loads(line))
    os._exit(0)


def main():
    jobs = queue.SimpleQueue()
    threading.Thread(target=read_jobs, args=(jobs,), daemon=True).start()
    say({"ready": True})
    while True:
        job = jobs.get()
        told = answer(job)
        sys.stderr.flush()
        say({"id": job["id"], "answer": told})


main()
