/* What somebody would try who has taken over ffmpeg. "probe abuse" makes every
 * attempt and prints a line for each: its name, and "allowed" or the error.
 * What would harm the machine if it were allowed has arguments that the kernel
 * finds wrong, which is another error than not being let in. The other commands
 * are attempts that end or occupy the process. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <unistd.h>

extern char **environ;

static void tell(const char *what, long got) {
	if (got >= 0)
		printf("%s\tallowed\n", what);
	else
		printf("%s\t%s\n", what, strerror(errno));
	fflush(stdout);
}

#define TRY(what, call) (errno = 0, tell(what, (long)(call)))
#define SYS(name, ...) TRY(#name, syscall(SYS_##name, __VA_ARGS__))

static char path_buffer[4096];
static const char *in(const char *dir, const char *name) {
	snprintf(path_buffer, sizeof path_buffer, "%s/%s", dir, name);
	return path_buffer;
}

static int reading(const char *path) {
	char b;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : read(fd, &b, 1);
}

static int inet(const char *port) {
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd < 0 ? -1 : connect(fd, (void *)&to, sizeof to);
}

static int local(const char *name, int abstract) {
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	strncpy(to.sun_path + abstract, name, sizeof to.sun_path - 2);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return fd < 0 ? -1 : connect(fd, (void *)&to, offsetof(struct sockaddr_un, sun_path) + abstract + strlen(name));
}

/* A process made against expectation ends at once. */
static long child(long pid) {
	if (pid == 0)
		syscall(SYS_exit_group, 0);
	return pid;
}

static void files(const char *dir) {
	TRY("read /etc/passwd", reading("/etc/passwd"));
	TRY("read a secret", reading(in(dir, "secret")));
	TRY("read /proc/self/environ", reading("/proc/self/environ"));
	TRY("list /", open("/", O_RDONLY | O_DIRECTORY));
	TRY("list the data folder", open(dir, O_RDONLY | O_DIRECTORY));
	TRY("see the data folder", access(in(dir, "secret"), F_OK));
	TRY("create", open(in(dir, "new"), O_CREAT | O_WRONLY, 0600));
	TRY("create in /", open("/new", O_CREAT | O_WRONLY, 0600));
	TRY("create in /usr/lib", open("/usr/lib/new", O_CREAT | O_WRONLY, 0600));
	TRY("create without a name", open("/tmp", O_TMPFILE | O_WRONLY, 0600));
	TRY("overwrite", open(in(dir, "secret"), O_WRONLY));
	TRY("truncate", truncate(in(dir, "secret"), 0));
	TRY("remove", unlink(in(dir, "secret")));
	TRY("make a folder", mkdir(in(dir, "folder"), 0700));
	TRY("rename", rename(in(dir, "secret"), "/tmp/other"));
	TRY("symlink", symlink("/etc/passwd", in(dir, "link")));
	TRY("read by a symlink", reading(in(dir, "link")));
	TRY("hard link", link(in(dir, "secret"), "/tmp/other"));
	TRY("make a device", mknod(in(dir, "device"), S_IFCHR | 0600, 0x103));
	TRY("make a pipe with a name", mkfifo(in(dir, "fifo"), 0600));
	TRY("open /dev/null", open("/dev/null", O_RDWR));
	TRY("open /dev/shm", open("/dev/shm/probe", O_CREAT | O_RDWR, 0600));
}

static void input(void) {
	struct stat was;
	fstat(0, &was);
	TRY("write to the input", write(0, "x", 1));
	TRY("open the input to write", open("/proc/self/fd/0", O_WRONLY));
	TRY("truncate the input", ftruncate(0, 0));
	TRY("fill the disk", syscall(SYS_fallocate, 0, 0, 0, 1 << 20));
	TRY("fchmod the input", fchmod(0, 0777));
	TRY("fchmod the output", fchmod(1, 0777));
	TRY("chmod the input", chmod("/proc/self/fd/0", 0777));
	TRY("fchown the input", syscall(SYS_fchown, 0, getuid(), getgid()));
	TRY("setxattr the input", syscall(SYS_fsetxattr, 0, "user.probe", "x", 1, 0));
	TRY("setxattr by path", syscall(SYS_setxattr, "/proc/self/fd/0", "user.probe", "x", 1, 0));
	TRY("change times of the input", syscall(SYS_utimensat, 0, NULL, NULL, 0));
	TRY("lock the input", syscall(SYS_flock, 0, 2));
	TRY("lease the input", fcntl(0, F_SETLEASE, F_RDLCK));
	TRY("own the output's signals", fcntl(1, F_SETOWN, getppid()));
	TRY("change how the output is open", fcntl(1, F_SETFL, O_NONBLOCK));
	TRY("resize the output", fcntl(1, F_SETPIPE_SZ, 1 << 20));
	TRY("control a device", syscall(SYS_ioctl, 0, 0x40086602 /* FS_IOC_SETFLAGS */, &was));
}

static void network(const char *port, const char *socket_path, const char *abstract) {
	TRY("connect to a port", inet(port));
	TRY("connect to a socket", local(socket_path, 0));
	TRY("connect to an abstract socket", local(abstract, 1));
	TRY("UDP", socket(AF_INET, SOCK_DGRAM, 0));
	TRY("IPv6", socket(AF_INET6, SOCK_STREAM, 0));
	TRY("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
	TRY("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
	int pair[2];
	TRY("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static void processes(pid_t parent) {
	struct rlimit zero = {0, 0}, now;
	char path[64];
	snprintf(path, sizeof path, "/proc/%d", parent);
	TRY("see the parent", access(path, F_OK));
	TRY("read the parent's environment", reading(in(path, "environ")));
	TRY("read of the parent", reading(in(path, "stat")));
	TRY("read of process 1", reading("/proc/1/environ"));
	TRY("read the parent's limits", syscall(SYS_prlimit64, parent, RLIMIT_NOFILE, NULL, &now));
	getrlimit(RLIMIT_NOFILE, &now);
	TRY("set the parent's limits", syscall(SYS_prlimit64, parent, RLIMIT_CORE, &zero, NULL));
	TRY("set its own limits", syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &now, NULL));
	TRY("set its own limits by number", syscall(SYS_prlimit64, getpid(), RLIMIT_NOFILE, &now, NULL));
	TRY("kill the parent", kill(parent, 0));
	TRY("kill its parent", kill(getppid() ? getppid() : parent, 0));
	TRY("kill all", kill(-1, 0));
	TRY("kill the group", kill(0, 0));
	TRY("tgkill the parent", syscall(SYS_tgkill, parent, parent, 0));
	TRY("tkill the parent", syscall(SYS_tkill, parent, 0));
	TRY("sigqueue the parent", sigqueue(parent, 0, (union sigval){0}));
	TRY("pidfd", syscall(SYS_pidfd_open, parent, 0));
	TRY("trace the parent", syscall(SYS_ptrace, 0x4206 /* SEIZE */, parent, 0, 0));
	TRY("be traced", syscall(SYS_ptrace, 0, 0, 0, 0));
	char b[8];
	struct iovec to = {b, 1}, from = {(void *)0x400000, 1};
	TRY("read the parent's memory", syscall(SYS_process_vm_readv, parent, &to, 1, &from, 1, 0));
	TRY("compare with the parent", syscall(SYS_kcmp, parent, parent, 0, 0, 0));
	TRY("leave the group", setpgid(0, 0));
	TRY("leave the session", setsid());
	TRY("outlive the parent", syscall(SYS_prctl, 1 /* PR_SET_PDEATHSIG */, 0, 0, 0, 0));
	TRY("fork", child(fork()));
	TRY("vfork", child(syscall(SYS_clone, 0x4000 | SIGCHLD, 0, 0, 0, 0)));
	TRY("clone without a signal", child(syscall(SYS_clone, 0, 0, 0, 0, 0)));
	TRY("clone beside the parent", child(syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0)));
	TRY("clone with namespaces", child(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)));
	uint64_t arguments[8] = {0};
	TRY("clone3", child(syscall(SYS_clone3, arguments, sizeof arguments)));
}

static void priorities(void) {
	struct sched_param low = {0};
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	SYS(setpriority, PRIO_PROCESS, 0, 19);
	SYS(sched_setscheduler, 0, SCHED_BATCH, &low);
	SYS(sched_setparam, 0, &low);
	SYS(sched_setaffinity, 0, sizeof set, &set);
	SYS(ioprio_set, 1, 0, 3 << 13);
}

static void kernel(void) {
	char b[512] = {0};
	int fds[2];
	SYS(inotify_init1, 0);
	SYS(fanotify_init, 0, 0);
	SYS(memfd_create, "probe", 0);
	SYS(unshare, 0);
	SYS(setns, -1, 0);
	SYS(mount, 0, 0, 0, 0, 0);
	SYS(umount2, "/", 0xffff);
	SYS(chroot, 0);
	SYS(pivot_root, 0, 0);
	SYS(bpf, 0, b, sizeof b);
	SYS(perf_event_open, b, 0, -1, -1, 0);
	SYS(userfaultfd, 1 /* user mode only */);
	SYS(io_uring_setup, 1, b);
	SYS(io_setup, 1, b);
	SYS(personality, 0x0040000 /* ADDR_NO_RANDOMIZE */);
	SYS(keyctl, 0, -3, 1, 0, 0);
	SYS(add_key, "user", "probe", "x", 1, -3);
	SYS(shmget, 0, 4096, 01600);
	SYS(msgget, 0, 01600);
	SYS(semget, 0, 1, 01600);
	SYS(mq_open, "probe", O_CREAT | O_RDWR, 0600, 0);
	SYS(eventfd2, 0, 0);
	SYS(signalfd4, -1, b, 8, 0);
	SYS(timerfd_create, 0, 0);
	SYS(epoll_create1, 0);
	SYS(pipe2, fds, 0);
	SYS(setuid, getuid());
	SYS(setgid, getgid());
	SYS(setgroups, -1, 0);
	SYS(capget, b, 0);
	SYS(umask, 0);
	SYS(chdir, "/");
	SYS(uname, b);
	SYS(sethostname, "probe", -1);
	SYS(clock_settime, 99, b);
	SYS(syslog, 3, b, sizeof b);
	SYS(name_to_handle_at, AT_FDCWD, "/", b, b + 256, 0);
	SYS(execveat, 0, "", 0, 0, AT_EMPTY_PATH);
	SYS(seccomp, 2, 0, b);
	SYS(mlockall, 1);
	SYS(process_madvise, 0, 0, 0, 0, 0);
	TRY("a call of tomorrow", syscall(600));
}

static void inherited(void) {
	for (int fd = 3; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("inherited file %d\tallowed\n", fd);
	for (char **e = environ; *e; e++)
		printf("inherited environment %s\tallowed\n", *e);
	fflush(stdout);
}

static void executes(void) {
	char *sh[] = {"sh", "-c", "echo 'execute /bin/sh\tallowed'", NULL}, *none[] = {NULL};
	TRY("execute the input", execve("/proc/self/fd/0", sh, none));
	TRY("execute /bin/sh", execve("/bin/sh", sh, none));
	TRY("execute /usr/bin/env", execve("/usr/bin/env", (char *[]){"env", "sh", "-c", sh[2], NULL}, none));
}

static void *nothing(void *p) { return p; }
static void *forever(void *p) {
	for (;;)
		sleep(3600);
	return p;
}

/* Prints how many threads can be had, up to a bound. */
static void threads(int most) {
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 16384);
	int n = 0;
	pthread_t t;
	while (n < most && pthread_create(&t, &small, forever, NULL) == 0)
		n++;
	printf("%d", n);
}

/* Prints how many MB of memory can be had, up to a bound. */
static void memory(int most) {
	int n = 0;
	for (char *p; n < most && (p = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED; n++)
		*p = 1;
	printf("%d", n);
}

/* What a decoder does must go on working. */
static void needed(void) {
	char b[64];
	pthread_t t;
	int fd = open("/proc/self/fd/0", O_RDONLY);
	int n = read(fd, b, sizeof b), threaded = pthread_create(&t, 0, nothing, 0);
	if (!threaded)
		pthread_join(t, 0);
	printf("%.*s, thread %d, seek %d, signal %d, tty %d", n > 0 ? n : 0, b, threaded, (int)lseek(fd, 4, SEEK_SET),
		(int)syscall(SYS_tgkill, getpid(), getpid(), 0), isatty(1));
}

int main(int argc, char **argv) {
	const char *what = argc > 1 ? argv[1] : "";
	signal(SIGXFSZ, SIG_IGN);
	if (!strcmp(what, "abuse") && argc == 7) {
		inherited();
		files(argv[3]);
		input();
		network(argv[4], argv[5], argv[6]);
		processes(atoi(argv[2]));
		priorities();
		kernel();
		executes();
		printf("end\tdone\n");
	} else if (!strcmp(what, "threads"))
		threads(atoi(argv[2]));
	else if (!strcmp(what, "memory"))
		memory(atoi(argv[2]));
	else if (!strcmp(what, "needed"))
		needed();
	else if (!strcmp(what, "abort"))
		abort();
	else if (!strcmp(what, "hang")) {
		printf("hanging\n");
		fflush(stdout);
		forever(NULL);
	}
#ifdef __x86_64__
	else if (!strcmp(what, "i386"))
		__asm__ volatile("int $0x80" ::"a"(20 /* getpid */) : "memory");
	else if (!strcmp(what, "x32"))
		syscall(0x40000000 | SYS_getpid);
#endif
	return 0;
}
