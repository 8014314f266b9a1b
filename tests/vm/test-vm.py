#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Runs test programs in a virtual machine with Debian's kernel, and gives their cases as its own (TAP). The kernel is
# older than the one of most build machines: no signal to a group by pidfd, no exit codes of non_children. Everything is
# in an initramfs: the built programs, the libraries and commands of this system that they need. With the program
# `init` alone, zinitd is process 1 of the machine.
#
# Installs missing packages and downloads the kernel into CACHE; where that cannot be done all is skipped. Everything is
# emulated, which is slow and works on any machine: ZINIT_TEST_SLOW is a factor for the deadlines inside.
#
#   test-vm.py SOURCE BUILD CACHE PROGRAM...

import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

PACKAGE = "linux-image-cloud-amd64"
PROGRAM_SECONDS = 600  # one test program
BOOT_SECONDS = 120
MEMORY_MIB = 1024
SLOWNESS = os.environ.get("ZINIT_TEST_SLOW", "10")

# What guest-init.sh, the tests and the services in them call. The real ones: a test may look at names of programs.
COMMANDS = ["busybox", "cat", "chmod", "dash", "dbus-daemon", "env", "false", "head", "id", "ls", "mkfifo", "rm", "seq",
            "setsid", "sleep", "tail", "true", "unshare", "yes"]
LINKS = {"sh": "dash"}

# Cases that take many minutes under emulation and that the kernel makes no difference to.
LEFT_OUT = {"reexecute": ["/reexecute/hundred-times"]}

USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
GROUPS = "root:x:0:\nnogroup:x:65534:\n"

# Where zinitd is process 1. What they say when they are stopped shows the order.
SERVICES = {
    "web": "trap \"echo @stopped web > /dev/console; exit 0\" TERM; sleep 1000 & wait",
    "app": "trap \"echo @stopped app > /dev/console; exit 0\" TERM; sleep 1000 & wait",
    "driver": "exec /zinit/guest-driver.sh",
}
REQUIRES = {"app": ["web"], "driver": ["app"]}

CASE = re.compile(r"^(not )?ok\b\s*\d*\s*-?\s*(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)")


class Refused(Exception):
    """A command has failed."""


class Tap:
    """Numbers the cases of all programs in one row."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def case(self, is_good, name):
        self.count += 1
        self.failed += not is_good
        print(f"{'ok' if is_good else 'not ok'} {self.count} {name}", flush=True)

    def note(self, text):
        print(f"# {text}", flush=True)

    def finish(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0


def run(*command, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode:
        raise Refused(f"{' '.join(command)}: {result.stdout.strip()[-300:]}")
    return result.stdout


def install_packages(source):
    if platform.machine() != "x86_64":
        raise Refused(f"the machine is {platform.machine()}; only x86_64 is supported")
    run("sh", "-c", '. "$0"; install_missing $VM_PACKAGES', str(source / "data" / "packages.sh"))


def get_kernel(cache):
    """Path of the kernel's image: the newest that the package names, downloaded once and never installed."""
    names = re.findall(r"Depends: (linux-image-\S+)", run("apt-cache", "depends", PACKAGE))
    if not names:
        raise Refused(f"{PACKAGE} is not in the package lists")
    image = cache / names[0].replace("linux-image", "boot/vmlinuz")
    if not image.exists():
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            run("apt-get", "download", "-q", names[0], cwd=folder)
            run("dpkg", "-x", str(next(pathlib.Path(folder).glob("*.deb"))), folder)
            image.parent.mkdir(exist_ok=True)
            os.replace(pathlib.Path(folder, "boot", image.name), image)
    return image


def copy_libraries(root, program):
    """All that the loader will look for, the loader too; a static program needs none."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    for path in re.findall(r"(/\S+) \(0x", listed):
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy(path, target)


def copy_programs(root, build, programs):
    built = {"zinitd": "daemon/zinitd", "zinit": "client/zinit", "test-child": "tests/lib/test-child",
             "test-guard": "tests/lib/test-guard"}
    built.update({f"test-{name}": f"tests/integration/test-{name}" for name in programs})
    for name, path in built.items():
        run("strip", "-o", str(root / "zinit" / name), str(build / path))
        copy_libraries(root, build / path)
    for name in COMMANDS:
        path = shutil.which(name, path="/usr/bin:/usr/sbin")
        if path is None:
            raise Refused(f"the command {name} is not there")
        shutil.copy(path, root / "usr" / "bin" / name)
        copy_libraries(root, path)
    for name, target in LINKS.items():
        (root / "usr" / "bin" / name).symlink_to(target)


def write_services(root):
    folder = root / "zinit" / "services"
    folder.mkdir()
    for name, line in SERVICES.items():
        (folder / f"{name}.toml").write_text(
            f"[service]\nexec = '''{line}'''\n"
            f"[dependencies]\nrequires = {REQUIRES.get(name, [])}\n"
            f"[lifecycle]\nrestart_delay_ms = 10\nstop_timeout_ms = 60000\n")


def make_root(root, source, build, programs):
    for name in ("dev", "etc", "proc", "run", "sys", "tmp", "usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "zinit"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / name).symlink_to(f"usr/{name}")
    here = source / "tests" / "vm"
    shutil.copy(here / "guest-init.sh", root / "init")
    (root / "etc" / "passwd").write_text(USERS)
    (root / "etc" / "group").write_text(GROUPS)
    (root / "zinit" / "environment").write_text(
        "export PATH=/usr/bin HOME=/root LC_ALL=C.UTF-8 ZINITD=/zinit/zinitd ZINIT=/zinit/zinit\n"
        "export ZINIT_TEST_CHILD=/zinit/test-child ZINIT_TEST_GUARD=/zinit/test-guard G_DEBUG=fatal-criticals\n"
        f"export ZINIT_TEST_SLOW={SLOWNESS}\n")
    if programs == ["init"]:
        shutil.copy(here / "guest-driver.sh", root / "zinit")
        write_services(root)
        programs = []
    lines = [" ".join([name, str(PROGRAM_SECONDS), *(f"-s {path}" for path in LEFT_OUT.get(name, []))]) + "\n"
             for name in programs]
    (root / "zinit" / "programs").write_text("".join(lines))
    for script in [root / "init", *root.glob("zinit/*.sh")]:
        script.chmod(0o755)
    copy_programs(root, build, programs)


def make_initramfs(root, path):
    run("sh", "-c", f'find . | cpio --quiet -o -H newc -R 0:0 | gzip -1 > "{path}"', cwd=root)


def boot(kernel, initramfs, seconds):
    """Lines of the console, until the machine is off or its time is over."""
    command = ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max",
               "-smp", "2", "-m", str(MEMORY_MIB), "-nodefaults", "-no-user-config", "-display", "none",
               "-serial", "stdio", "-no-reboot", "-kernel", str(kernel), "-initrd", str(initramfs),
               "-append", "console=ttyS0 loglevel=4 panic=-1"]
    machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # meson ends a test that takes too long by this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    timer = threading.Timer(seconds, machine.kill)
    timer.start()
    try:
        for line in machine.stdout:
            yield line.decode("utf-8", "replace").rstrip("\r\n")
    finally:
        timer.cancel()
        machine.kill()
        machine.wait()


class Console:
    """Takes the console's lines as they come and makes cases of them."""

    def __init__(self, tap):
        self.tap = tap
        self.said = []  # lines with an @
        self.program, self.planned, self.seen, self.began = None, 0, 0, 0

    def begin(self, name):
        self.program, self.planned, self.seen, self.began = name, None, 0, time.monotonic()

    def end(self, status):
        if self.planned != self.seen or status != "0":
            planned = "no" if self.planned is None else self.planned
            self.tap.case(False, f"{self.program}: status {status}, {planned} cases planned, {self.seen} reported")
        self.tap.note(f"{self.program} took {time.monotonic() - self.began:.0f} s")
        self.program = None

    def take_order(self, line):
        self.said.append(line)
        words = line.split()
        if words[0] == "@kernel":
            self.tap.case(words[1].startswith("6.1."), f"the kernel is Debian's 6.1: {words[1]}")
        elif words[0] == "@begin":
            self.begin(words[1])
        elif words[0] == "@end":
            self.end(words[2])

    def take(self, line):
        if line.startswith("@"):
            self.take_order(line)
        elif self.program and (plan := PLAN.match(line)):
            self.planned = int(plan.group(1))
        elif self.program and (case := CASE.match(line)):
            self.seen += 1
            self.tap.case(not case.group(1), case.group(2))
        else:
            if "Attempted to kill init" in line:
                self.said.append(line[line.index("Attempted"):])
            self.tap.note(line.removeprefix("# "))


def judge_init(console):
    """zinitd was process 1 and was told to end: who depends on others is stopped first, and its exit code is 0."""
    stopped = [line for line in console.said if line.startswith("@stopped")]
    console.tap.case(stopped == ["@stopped app", "@stopped web"], "/init/shutdown-order")
    ends = [line for line in console.said if line.startswith("Attempted")]
    console.tap.case(len(ends) == 1 and "exitcode=0x00000000" in ends[0], "/init/exit-code")


def main():
    source, build, cache = (pathlib.Path(path).resolve() for path in sys.argv[1:4])
    programs = sys.argv[4:]
    tap = Tap()
    console = Console(tap)
    cache.mkdir(parents=True, exist_ok=True)
    try:
        install_packages(source)
        kernel = get_kernel(cache)
    except Refused as reason:
        print(f"1..0 # SKIP {' '.join(str(reason).split())}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        root, initramfs = pathlib.Path(folder, "root"), pathlib.Path(folder, "initramfs")
        make_root(root, source, build, programs)
        make_initramfs(root, initramfs)
        for line in boot(kernel, initramfs, BOOT_SECONDS + len(programs) * PROGRAM_SECONDS):
            console.take(line)
    if console.program:
        console.end("unknown")
    if programs == ["init"]:
        judge_init(console)
    elif "@done" not in console.said:
        tap.case(False, "the machine ended too early, or its time was over")
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
