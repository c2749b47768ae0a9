"""The names of files in the data directory and in a job's directory. Imports nothing: keeper and shims stay small."""

# in the data directory
LOCK = "lock"  # held by the executor; holds its pid
INSTANCE = "instance"  # the instance id
SHIMS = "shims"  # PID.sock: the socket of each shim
KEEPER_LOG = "keeper.log"  # what keeper and shims have to say, which is nothing
LIVE = "jobs/live"
DONE = "jobs/done"
TOMBS = "jobs/tombs.db"
FENCES = "jobs/fences"
METRICS = "metrics"  # what the worker counts, for the next one

# in a job's directory
NODE = "node.json"  # the attempt as it was sent
CLAIM = "shim"  # a link to the pid of the shim that started the job: made once, so that it starts once
PROCESS = "process"  # a link to what tells the main process from all others
LOG = "output.log"
EXIT = "exit"  # how the process ended, written by the shim
RESULT = "result.json"  # how the attempt ended, written by the executor
WORK = "work"  # the working directory of the process
SCRIPT = "script"  # an inline script
OUTPUT = "output"  # $GORCH_OUTPUT

SECRETS = "secrets.json"  # the values of its secrets, to hide them in its log

NOBODY = "nobody"  # the claim of a job that was cancelled before it was started
INSIDE = "inside"  # the claim of a job that needs no process here
