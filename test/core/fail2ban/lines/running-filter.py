"""Drives the filter of the Fail2ban that is installed: one JSON request a line on stdin, one JSON answer a line on stdout."""
import json
import logging
import sys

import newer_addresses  # noqa: F401
from fail2ban.client.filterreader import FilterReader
from fail2ban.server import datedetector, utils
from fail2ban.server.filter import Filter, FileContainer
from fail2ban.server.ipdns import DNSUtils
from fail2ban.server.mytime import MyTime

logging.getLogger("fail2ban").setLevel(logging.CRITICAL + 1)


class Clock:
    """What these two ask of the module time, at the time of the test."""

    time = staticmethod(MyTime.time)


utils.time = datedetector.time = Clock
# Names are answered as they are: whoever asks wants no look-ups.
DNSUtils.textToIp = staticmethod(lambda text, use_dns: ["name " + text])

ours = ("matches", "nofail-matches", "users", "mlfpending", "ip")
share = {}
filters = {}


def read_texts(request):
    reader = FilterReader(request["filter"], "jail", dict(request.get("options") or {}), basedir=request["folder"], share_config=share)
    reader.read()
    reader.getOptions({})
    texts = {"prefregex": None, "failregex": [], "ignoreregex": [], "maxlines": 1, "datepattern": None}
    for command in reader.convert():
        name, values = command[2], command[3] if command[0] == "multi-set" else [command[3]]
        for value in values:
            if name == "addfailregex":
                texts["failregex"].append(value)
            elif name == "addignoreregex":
                texts["ignoreregex"].append(value)
            elif name == "maxlines":
                texts["maxlines"] = int(value)
            elif name == "datepattern":
                texts["datepattern"] = [line.strip() for line in value.split("\n") if line.strip()]
            elif name == "prefregex":
                texts["prefregex"] = value
    return texts


def make_filter(request):
    texts = request["texts"]
    MyTime.setTime(request["now"])
    made = Filter(None, useDns=texts.get("usedns", "warn"))
    made.returnRawHost = request.get("raw", False)
    made.checkAllRegex = request.get("all", False)
    made.ignorePending = not request.get("pending", False)
    made.active = True
    ignored = []
    made.onIgnoreRegex = lambda index, regex: ignored.append(index)
    if texts.get("timezone"):
        made.setLogTimeZone(texts["timezone"])
    if texts["prefregex"] is not None:
        made.prefRegex = texts["prefregex"]
    made.setMaxLines(texts["maxlines"])
    for text in texts["failregex"]:
        made.addFailRegex(text)
    for text in texts["ignoreregex"]:
        made.addIgnoreRegex(text)
    if texts["datepattern"] is not None:
        made.setDatePattern("\n".join(texts["datepattern"]))
    filters[request["id"]] = (made, ignored)


def plain(value):
    return [None if part is None else str(part) for part in value] if isinstance(value, tuple) else value


def failure(found):
    rule, fid, time, fail = found[:4]
    groups = {name: plain(value) for name, value in fail.items() if name not in ours and value is not None}
    lines = ["".join(line) if not isinstance(line, str) else line for line in fail.get("matches") or []]
    return {
        "rule": rule,
        "id": None if fid is None else str(fid),
        "time": time,
        "groups": groups,
        "users": sorted(str(user) for user in fail.get("users") or []),
        "nofail": bool(fail.get("nofail")),
        "lines": lines,
    }


def process(request):
    made, ignored = filters[request["id"]]
    answers = []
    for line in request["lines"]:
        MyTime.setTime(line["now"])
        made.checkFindTime = line["findtime"] is not None
        if line["findtime"] is not None:
            made.setFindTime(line["findtime"])
        made.inOperation = line["inOperation"]
        del ignored[:]
        try:
            if line["time"] is not None:
                found = made.processLine(("", line["dateText"], line["text"]), line["time"])
            else:
                found = made.processLine(line["text"])
            answers.append({"failures": [failure(one) for one in found], "ignored": list(ignored)})
        except Exception as error:
            answers.append({"error": repr(error)})
    return answers


for text in sys.stdin:
    request = json.loads(text)
    try:
        if request["do"] == "texts":
            answer = read_texts(request)
        elif request["do"] == "filter":
            answer = make_filter(request)
        elif request["do"] == "decode":
            answer = [FileContainer.decode_line("log", request["encoding"], bytes(line)) for line in request["lines"]]
        else:
            answer = process(request)
        print(json.dumps({"answer": answer}), flush=True)
    except Exception as error:
        print(json.dumps({"error": repr(error)}), flush=True)
