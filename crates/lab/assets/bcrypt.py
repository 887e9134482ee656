# Lab only: the manager of Debian's Ceph cannot load the real module in its subinterpreters.
import hashlib
import os


def gensalt(rounds=12, prefix=b"2b"):
    return os.urandom(16).hex().encode()


def hashpw(password, salt):
    return salt[:32] + hashlib.sha256(salt[:32] + password).hexdigest().encode()


def checkpw(password, hashed):
    return hashpw(password, hashed) == hashed
