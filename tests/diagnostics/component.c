/* Stands for the local seal component: listens on loopback until its parent ends it, a minute at most. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    alarm(60);
    bind(listening, (struct sockaddr *)&place, sizeof place);
    listen(listening, 1);
    for (;;) pause();
}
