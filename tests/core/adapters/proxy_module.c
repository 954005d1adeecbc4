/* A PKCS#11 module that passes everything on to SoftHSM, notes what is called, and misbehaves on demand.
 *
 * PROXY_REAL: the library behind; PROXY_LOG: file for notes; PROXY_MODE: "<what>:<function>" where what is
 * crash, hang, exit, print, fail; or "locked", "final", "badsig". */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef unsigned long RV;
struct list { unsigned char version[2]; void *f[68]; };
enum { INITIALIZE = 0, TOKEN_INFO = 6, LOGIN = 18, SIGN = 43 };  /* order of CK_FUNCTION_LIST */
static const RV PIN_LOCKED = 0xA4, PIN_INCORRECT = 0xA0, GENERAL_ERROR = 5;
static const unsigned long FINAL_TRY = 0x20000, LOCKED = 0x40000;
static const int FLAGS_AT = 96;  /* in CK_TOKEN_INFO, after label, manufacturer, model and serial */
static struct list mine, *real;

static int is(const char *what, const char *where) {
    char wanted[64];
    const char *mode = getenv("PROXY_MODE");
    snprintf(wanted, sizeof wanted, where ? "%s:%s" : "%s", what, where);
    return mode && !strcmp(mode, wanted);
}

static void copy_file(FILE *to, const char *path) {
    FILE *from = fopen(path, "r");
    int c;
    while ((c = fgetc(from)) != EOF) fputc(c ? c : ' ', to);
    fclose(from);
    fputc('\n', to);
}

static RV note(const char *where) {
    struct rlimit core;
    FILE *log = fopen(getenv("PROXY_LOG"), "a");
    getrlimit(RLIMIT_CORE, &core);
    fprintf(log, "%s pid=%d tid=%ld core=%lu\n", where, getpid(), syscall(SYS_gettid), (unsigned long)core.rlim_cur);
    if (!strcmp(where, "C_Login")) {
        copy_file(log, "/proc/self/cmdline");
        copy_file(log, "/proc/self/environ");
    }
    fclose(log);
    if (is("crash", where)) *(volatile int *)0 = 1;
    if (is("hang", where)) for (;;) pause();
    if (is("exit", where)) exit(0);
    if (is("print", where)) { printf("{\"result\": []}\n"); fflush(stdout); }
    return is("fail", where) ? GENERAL_ERROR : 0;
}

static RV initialize(void *args) {
    RV rv = note("C_Initialize");
    return rv ? rv : ((RV(*)(void *))real->f[INITIALIZE])(args);
}

static RV token_info(unsigned long slot, unsigned char *info) {
    RV rv = ((RV(*)(unsigned long, unsigned char *))real->f[TOKEN_INFO])(slot, info);
    if (is("flag-locked", NULL)) *(unsigned long *)(info + FLAGS_AT) |= LOCKED;
    if (is("final", NULL)) *(unsigned long *)(info + FLAGS_AT) |= FINAL_TRY;
    return rv;
}

static RV login(unsigned long session, unsigned long user, unsigned char *pin, unsigned long length) {
    RV rv = note("C_Login");
    if (is("locked", NULL)) return PIN_LOCKED;
    if (is("final", NULL)) return PIN_INCORRECT;
    return rv ? rv : ((RV(*)(unsigned long, unsigned long, unsigned char *, unsigned long))real->f[LOGIN])(
        session, user, pin, length);
}

static RV sign(unsigned long session, void *data, unsigned long size, unsigned char *out, unsigned long *length) {
    RV rv = out ? note("C_Sign") : 0;  /* without, it only asks for the length */
    if (!rv) rv = ((RV(*)(unsigned long, void *, unsigned long, unsigned char *, unsigned long *))real->f[SIGN])(
        session, data, size, out, length);
    if (!rv && out && is("badsig", NULL)) out[7] ^= 1;
    return rv;
}

RV C_GetFunctionList(struct list **out) {
    void *library = dlopen(getenv("PROXY_REAL"), RTLD_NOW);
    ((RV(*)(struct list **))dlsym(library, "C_GetFunctionList"))(&real);
    mine = *real;
    mine.f[INITIALIZE] = initialize;
    mine.f[TOKEN_INFO] = token_info;
    mine.f[LOGIN] = login;
    mine.f[SIGN] = sign;
    *out = &mine;
    return 0;
}
