# The other host's part: POSIX sh, read from standard input and evaluated. Before it come assignments and the functions
# node_put, node_env and node_run of the job; after it the name of what is asked for. Variables of the node are set in the
# very last step before its program, so that they meet none of ours; here-documents, which may need room in /tmp, are not used
# where processes are looked for: what is not found is said to be dead.
#
# $_id: the job; $_from: how many bytes of its log are there already; $_grace: tenths of a second between TERM and KILL.
# Answers are lines; "log", "output" and "env" are followed by as many bytes as they say.

set +u
_home=${HOME:-}/.gorchestrator
_d=$_home/$_id
_setsid=$(command -v setsid)
_tab='	'
_newline='
'

say() { printf '%s\n' "$*" 2>/dev/null || exit 1; }
fail() { say "fail $*"; exit 0; }
nap() { sleep 0.1 2>/dev/null || sleep 1; }
claim() { set -C; true 2>/dev/null >"$_d/go"; set -- $?; set +C; return "$1"; }

prepare() {
    for _each in chmod grep head ls mkdir mkfifo rm sleep stat tail tr wc; do
        command -v "$_each" >/dev/null || fail "the host lacks the program $_each"
    done
    [ -n "${HOME:-}" ] || fail "the user has no home directory"
    case $HOME in *\'*) fail "the home directory has a quote in its name: $HOME" ;; esac
    [ -d "$_home" ] || mkdir -m 700 "$_home" 2>/dev/null || [ -d "$_home" ] || cannot mkdir "$_home"
    mkdir -m 700 "$_d" 2>/dev/null || [ -d "$_d" ] || cannot mkdir "$_d"
}

# Fails with what this command says when it is tried once more.
cannot() { fail "cannot make $2: $("$@" 2>&1 | tail -n 1)"; }

cannot_write() { fail "cannot write $_script: $(node_put "$_script" 2>&1 | tail -n 1); $(full "$_script")"; }

# Prints why a file does not take what is written: shells say less than programs.
full() { head -c 65536 /dev/zero 2>&1 >"$1" | tail -n 1; }

# -- starting it, once

start() {
    prepare
    _script=$_d/script.$$
    if [ ! -e "$_d/go" ]; then
        [ -p "$_d/events" ] || mkfifo "$_d/events" 2>/dev/null || [ -p "$_d/events" ] || cannot mkfifo "$_d/events"
        node_put "$_script" 2>/dev/null || cannot_write
    fi
    if ! claim; then
        [ -e "$_d/go" ] || cannot mkdir "$_d/claim"
        attach
        return
    fi
    # This shell waits for the command in the foreground, as what a shell starts in the background has SIGINT ignored.
    _runner=$$
    if ! echo $_runner >"$_d/runner" 2>/dev/null; then
        _why=$(full "$_d/runner")
        rm -rf "$_d"
        fail "cannot write in $_d: $_why"
    fi
    say started
    exec 3<>"$_d/events" 4>&1 5<&0
    follow <&5 >&4 4>&- 5<&- &
    exec </dev/null >/dev/null 2>&1 4>&- 5<&-
    (exec 3>&-; cd "$HOME"; node_run) >"$_d/log" 2>&1
    _code=$?
    echo "done $_code" >"$_d/status"
    echo "end $_code" >&3
    until [ -s "$_d/status" ] || [ ! -d "$_d" ]; do # the disk is full, and nobody may have heard of it yet
        sleep 1
        echo "done $_code" >"$_d/status"
    done
    wait
}

missing() { echo "$*" >"$_d/fault"; exit 127; }

# Runs $_prog with arguments, in the place of this shell; a name without a slash is looked up in $_path.
launch() {
    _place=
    case $_prog in
    */*) _place=$_prog ;;
    *)
        _kept=${IFS-} IFS=:
        set -f
        for _each in $_path; do
            [ -f "${_each:-.}/$_prog" ] && [ -x "${_each:-.}/$_prog" ] && _place=${_each:-.}/$_prog && break
        done
        IFS=$_kept
        [ -n "$_place" ] || missing "absent its PATH ($_path)"
        ;;
    esac
    case $_place in -*) _place=./$_place ;; esac
    [ -f "$_place" ] || missing "absent its file system"
    if [ -x "$_place" ]; then
        run "$_place" "$@"
    elif [ "$_place" = "$_script" ]; then
        interpret "$@"
    fi
    missing "barred"
}

# Runs the script that was sent, where the file system of home directories lets nothing be executed (noexec).
interpret() {
    IFS= read -r _first <"$_script"
    case $_first in '#!'*) ;; *) missing "noexec" ;; esac
    trim "${_first#'#!'}"
    _place=${_rest%%[" $_tab"]*}
    trim "${_rest#"$_place"}"
    if [ -n "$_rest" ]; then run "$_place" "$_rest" "$_script" "$@"; else run "$_place" "$_script" "$@"; fi
}

trim() { _rest=${1#"${1%%[!" $_tab"]*}"} _rest=${_rest%"${_rest##*[!" $_tab"]}"}; }

run() {
    [ -z "$_setsid" ] || set -- "$_setsid" "$@"
    node_env
    exec "$@"
}

# Runs the script $_prog by its interpreter; if that is a shell, the variables that it is asked for ($_wanted) are written
# down at its end.
source_it() {
    case $_prog in */*) _script=$_prog ;; *) _script=./$_prog ;; esac
    [ -f "$_script" ] || missing "absent its file system"
    [ -r "$_script" ] || missing "unreadable"
    IFS= read -r _first <"$_script"
    _kept=${IFS-} IFS=" $_tab"
    set -f
    case $_first in
    '#!'*) set -- ${_first#'#!'} ;;
    *) set -- /bin/sh ;;
    esac
    IFS=$_kept
    _prog=$1 _named=$1
    shift
    case $_prog in
    env | */env)
        _named=${1:-}
        [ $# -eq 0 ] || shift
        ;;
    esac
    case ${_named##*/} in
    bash) set -- --norc "$@" -c "$(ending)" "$_script" ;; # below sshd it reads that file, with -c, unasked
    sh | dash | ash) set -- "$@" -c "$(ending)" "$_script" ;;
    *) set -- "$@" "$_script" ;;
    esac
    case $_prog in env | */env) _prog=$_named ;; esac
    launch "$@"
}

# Prints what a shell is to run: the script, and at its end what writes down its variables, without one of its own. A script
# whose values cannot be written down has failed.
ending() {
    say "gorch_ending() { {"
    for _each in $_wanted; do
        say "[ -z \"\${$_each+x}\" ] || printf '%s=%s\\0' $_each \"\$$_each\" || return 1"
    done
    say ":; } >|'$_d/env'; }"
    say 'trap "gorch_ending || exit 1" EXIT'
    say '. "$0"'
    say 'set -- "$?"; gorch_ending || set -- 1; exit "$1"' # a trap of the script is in the place of ours
}

# -- following it

attach() {
    [ -e "$_d/go" ] || fail absent
    _tries=0
    until [ -s "$_d/runner" ] || [ "$_tries" -ge 50 ]; do nap; _tries=$((_tries + 1)); done
    say started
    _runner=none
    [ ! -s "$_d/runner" ] || read -r _runner <"$_d/runner"
    [ ! -r /proc/self/status ] || holds "$_runner" || _runner=none # another process may have got its number
    exec 3<>"$_d/events"
    echo look >&3
    follow
}

holds() { ls -l "/proc/$1/fd" 2>/dev/null | grep -qF -e "-> $_d/events"; }

follow() {
    while sleep 1 && [ -d "$_d" ]; do echo tick; done </dev/null >&3 2>/dev/null &
    _ticker=$!
    trap 'kill $_ticker 2>/dev/null; exit 1' PIPE
    _over= _lost=
    while read -r _what _code <&3; do
        case $_what in
        end) _over=$_code ;;
        *) if [ -s "$_d/status" ]; then read -r _what _over <"$_d/status"; else runs || _lost=1; fi ;;
        esac
        share
        [ -z "$_over$_lost" ] || break
    done
    kill $_ticker 2>/dev/null
    if [ -z "$_over" ]; then say lost; else results; fi
    [ -z "$_over" ] || say "end $_over"
    read -r _word || exit 0
    case $_word in
    kill) clear_all ;;
    esac
    remove
    say gone
}

# Its shell is there, or was a moment ago and has told how it ended.
runs() { kill -0 "$_runner" 2>/dev/null || [ -s "$_d/status" ]; }

share() {
    _size=0
    [ -s "$_d/log" ] && _size=$(wc -c <"$_d/log")
    _size=$((_size))
    if [ "$_size" -gt "$_from" ]; then
        say "log $((_size - _from))"
        if [ "$_from" = 0 ]; then head -c "$_size" "$_d/log"; else tail -c "+$((_from + 1))" "$_d/log" | head -c "$((_size - _from))"; fi
        _from=$_size
    elif [ -z "$_over" ]; then
        say .
    fi
}

results() {
    for _each in output env; do
        if [ -s "$_d/$_each" ]; then
            _size=$(wc -c <"$_d/$_each")
            _size=$((_size > _most ? _most : _size))
            say "$_each $_size"
            head -c "$_size" "$_d/$_each"
        fi
    done
    [ ! -s "$_d/fault" ] || { read -r _fault <"$_d/fault" && say "fault $_fault"; }
}

# -- ending it

# Ends the job, unless it has ended by itself before it could be said to have run too long.
end_it() {
    prepare
    if claim; then # nothing will be started: whoever is about to do that finds this
        clear_all # unless the directory was removed
        (sleep 5; rm -rf "$_d") </dev/null >/dev/null 2>&1 &
        say gone
        return
    fi
    if [ -s "$_d/status" ] && [ "$_seconds" -ge 0 ]; then
        _took=$(($(changed "$_d/status") - $(changed "$_d/go")))
        [ "$_took" -gt "$_seconds" ] || { say ended; return; }
    fi
    clear_all
    remove
    say gone
}

changed() { stat -c %Y "$1" 2>/dev/null || stat -f %m "$1"; }

forget() { remove; say gone; }

remove() { rm -rf "$_d" 2>/dev/null || { nap; rm -rf "$_d" 2>/dev/null; }; }

clear_all() {
    find_all
    [ -n "$_found" ] || return 0
    signal TERM
    signal CONT
    _waited=0
    while [ "$_waited" -lt "$_grace" ] && any_left; do say .; nap; _waited=$((_waited + 1)); done
    _rounds=0
    find_all
    while [ -n "$_found" ]; do
        _before=
        while [ "$_before" != "$_found" ]; do # what is stopped starts nothing more
            signal STOP
            _before=$_found
            find_all
        done
        signal KILL
        say .
        nap
        find_all
        _rounds=$((_rounds + 1))
        if [ "$_rounds" -ge 100 ] && [ -n "$_found" ]; then say "survivors $_found"; sleep 1; fi
    done
}

signal() { for _each in $_found; do kill -s "$1" "$_each" 2>/dev/null; done; }

any_left() {
    for _each in $_found; do kill -0 "$_each" 2>/dev/null && return 0; done
    return 1
}

# Sets $_found to the pids of the job: what the shell that waits for it has started, what has its directory in the
# environment or its log open, what these have started, and who else is in a session with one of them.
find_all() {
    _own=' ' _marked=' ' _found=' ' _sessions=' ' _logins=' ' _runner=none
    [ ! -s "$_d/runner" ] || read -r _runner <"$_d/runner"
    [ -r /proc/self/status ] || [ -s "$_d/status" ] || _own=" $_runner "
    _opened=$(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -F -e /proc/ -e "$_d/")
    set -f
    IFS=$_newline
    for _line in $_opened; do
        case $_line in
        /proc/*/fd:) _pid=${_line#/proc/} _pid=${_pid%/fd:} ;;
        *" -> $_d/events"*) _own="$_own$_pid " ;;
        *" -> $_d/log"*) _marked="$_marked$_pid " ;;
        esac
    done
    unset IFS
    set +f
    for _each in $(environments); do
        _each=${_each#/proc/}
        _marked="$_marked${_each%/environ} "
    done
    case $_own in *" $_runner "*) _root=$_runner ;; *) _root=none ;; esac # else another process has its number
    _table=$(processes)
    spread
    _found=${_found# }
}

# Prints the files of environments that name the directory. They are made of NULs, at which some versions of grep see the end.
environments() {
    if printf 'a\0b' | grep -qzF b 2>/dev/null; then
        grep -lzsF "GORCH_OUTPUT=$_d/" /proc/[0-9]*/environ
        return
    fi
    for _each in /proc/[0-9]*/environ; do
        { tr '\0' '\n' <"$_each" | grep -qF "GORCH_OUTPUT=$_d/"; } 2>/dev/null && echo "$_each"
    done
}

# Lines of pid, parent and session.
processes() {
    if [ ! -r /proc/self/status ]; then
        ps -A -o pid= -o ppid= -o pgid= | while read -r _pid _parent _session; do echo "$_pid $_parent $_session"; done
        return
    fi
    grep -HEs '^(State|PPid|NSsid):' /proc/[0-9]*/status | while IFS="/:$_tab " read -r _ _ _pid _ _key _value _; do
        case $_key in
        State) _state=$_value ;;
        PPid) _parent=$_value _session=0 ;;
        esac
        case $_key$_state in
        NSsid[ZX]) ;;
        NSsid*) echo "$_pid $_parent $_value" ;;
        esac
    done
}

spread() {
    IFS=$_newline
    for _line in $_table; do
        case $_own in *" ${_line%% *} "*) _logins="$_logins${_line##* } " ;; esac
    done
    _last=none
    while [ "$_last" != "$_found" ]; do
        _last=$_found
        for _line in $_table; do
            _pid=${_line%% *} _parent=${_line#* } _session=${_line##* }
            _parent=${_parent% *}
            case $_own$_found in *" $_pid "*) continue ;; esac
            case $_marked$_found$_root' ' in
            *" $_pid "* | *" $_parent "*) ;;
            *) case $_sessions in *" $_session "*) ;; *) continue ;; esac ;;
            esac
            _found="$_found$_pid "
            case $_logins$_sessions in *" $_session "*) ;; *) _sessions="$_sessions$_session " ;; esac
        done
    done
    unset IFS
}
