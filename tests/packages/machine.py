# SPDX-License-Identifier: Apache-2.0
"""A small Debian of its own: a tree made by mmdebstrap, in which systemd runs as process 1 of its own namespaces."""

import os
import shutil
import signal
import subprocess
import tempfile
import time

BOOT = """
set -e
mount --make-rprivate / && cd {root}
mount --bind {root} {root}
mount -t tmpfs tmpfs {root}/run
mount -t tmpfs tmpfs {root}/tmp
mount -t proc proc {root}/proc
# What is the kernel's belongs to the machine outside.
mount --bind -o ro {root}/proc/sys {root}/proc/sys
mount -t sysfs -o ro sysfs {root}/sys
mount -t tmpfs tmpfs {root}/sys/fs/cgroup
mkdir {root}/sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup {root}/sys/fs/cgroup/systemd
mount -t tmpfs tmpfs {root}/dev
for device in null zero full random urandom tty; do touch {root}/dev/$device; mount --bind /dev/$device {root}/dev/$device; done
# PrivateDevices= copies all of these.
mkdir {root}/dev/shm {root}/dev/mqueue {root}/dev/hugepages {root}/dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts {root}/dev/pts
ln -s pts/ptmx {root}/dev/ptmx
ln -s /proc/self/fd {root}/dev/fd
ip link set lo up
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot {root} /lib/systemd/systemd
"""
ENVIRONMENT = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"]


class Machine:
    def __init__(self, packages):
        self.root = os.path.join(tempfile.mkdtemp(prefix="helios-machine-"), "root")
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--include=" + ",".join(packages), "bookworm", self.root],
                       check=True, timeout=900)
        self._outer = None
        self.pid = None  # of systemd, seen from outside

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def boot(self):
        self._outer = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--net", "--fork", "--kill-child", "bash", "-c",
             BOOT.format(root=self.root)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            assert self._outer.poll() is None, self._outer.stderr.read().decode()
            with open(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children", encoding="ascii") as children:
                self.pid = children.read().strip() or None
            if self.pid and self.run("systemctl is-system-running", check=False).stdout.strip() in ("running", "degraded"):
                return self
            time.sleep(0.2)
        raise AssertionError("systemd does not come up")

    def run(self, command, check=True, timeout=300):
        """A line of shell, in root's home."""
        inside = [*ENVIRONMENT, "chroot", self.root, "sh", "-ec", "cd /root\n" + command]
        if self.pid:
            inside = ["nsenter", "-t", self.pid, "-m", "-p", "-i", "-u", "-n", *inside]
        done = subprocess.run(inside, capture_output=True, text=True, timeout=timeout, check=False)
        assert not check or done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}" + self._journal()
        return done

    def _journal(self):
        return self.run("journalctl --no-pager -n 30", check=False).stdout if self.pid else ""

    def wait_for(self, command, output):
        end = time.monotonic() + 60
        while self.run(command, check=False).stdout.strip() != output:
            assert time.monotonic() < end, f"{command}: {self.run(command, check=False).stdout}, not {output}"
            time.sleep(0.1)

    def remove(self):
        if self._outer:
            self._outer.send_signal(signal.SIGKILL)
            self._outer.wait()
        # Nothing of the machine outside may be mounted there any more when it is deleted.
        with open("/proc/mounts", encoding="utf-8") as mounts:
            assert self.root not in mounts.read()
        shutil.rmtree(os.path.dirname(self.root), ignore_errors=True)
