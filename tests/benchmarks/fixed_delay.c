/* A chat server for benchmarks: every request is answered after exactly so many milliseconds, with the same 1 KB reply,
 * in one piece or, if it asks for a stream, in eight events. One thread, epoll, connections kept alive.
 *
 * gcc -O2 -o fixed_delay fixed_delay.c && ./fixed_delay MILLISECONDS   (prints its port, and serves until it is killed)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 65536, WAITING = 1 << 17, ROOM = 1 << 14, TEXT = 1024, EVENTS = 8 };

struct connection { char *data; int length; unsigned generation; };
struct answer { int socket; unsigned generation; bool stream; long long due; };

static struct connection connections[CONNECTIONS];
static struct answer waiting[WAITING]; /* a ring, in the order of `due`: the delay is the same for all */
static unsigned first, last;
static char whole[4 * TEXT], streamed[16 * TEXT];
static int whole_length, streamed_length;

static long long now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

static void make_answers(void) {
    char text[TEXT + 1], body[3 * TEXT];
    for (int i = 0; i < TEXT; i++) text[i] = "what the model says "[i % 20];
    text[TEXT] = 0;
    const char *usage = "\"usage\":{\"prompt_tokens\":500,\"completion_tokens\":250,\"total_tokens\":750}";
    int size = sprintf(body,
        "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":"
        "{\"role\":\"assistant\",\"content\":\"%s\"},\"finish_reason\":\"stop\"}],%s}", text, usage);
    whole_length = sprintf(whole,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", size, body);
    char *end = streamed + sprintf(streamed, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
    for (int i = 0; i <= EVENTS + 1; i++) {
        int length;
        if (i < EVENTS)
            length = sprintf(body, "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":"
                "[{\"index\":0,\"delta\":{\"content\":\"%.*s\"},\"finish_reason\":%s}]}\n\n",
                TEXT / EVENTS, text + i * (TEXT / EVENTS), i == EVENTS - 1 ? "\"stop\"" : "null");
        else if (i == EVENTS)
            length = sprintf(body, "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[],%s}\n\n", usage);
        else
            length = sprintf(body, "data: [DONE]\n\n");
        end += sprintf(end, "%x\r\n%s\r\n", length, body);
    }
    end += sprintf(end, "0\r\n\r\n");
    streamed_length = (int)(end - streamed);
}

static void drop(int socket) {
    close(socket);
    connections[socket].length = 0;
    connections[socket].generation++;
}

static void heard(int socket, long long delay_us) {
    struct connection *c = &connections[socket];
    if (!c->data) c->data = malloc(ROOM);
    ssize_t got = recv(socket, c->data + c->length, ROOM - 1 - c->length, 0);
    if (got <= 0) { drop(socket); return; }
    c->length += (int)got;
    c->data[c->length] = 0;
    char *body = strstr(c->data, "\r\n\r\n");
    if (!body) return;
    char *said = strcasestr(c->data, "content-length:");
    int size = said && said < body ? atoi(said + 15) : 0;
    if (c->length < body + 4 - c->data + size) return;
    bool stream = strstr(body, "\"stream\":true") != NULL;
    c->length = 0; /* one request at a time on a connection, as HTTP/1.1 clients do */
    waiting[last++ % WAITING] = (struct answer){socket, c->generation, stream, now_us() + delay_us};
}

int main(int count, char **words) {
    long long delay_us = count > 1 ? atof(words[1]) * 1000 : 0;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    make_answers();
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listening, (void *)&address, size) || listen(listening, 16384)) { perror("fixed_delay"); return 1; }
    getsockname(listening, (void *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listening}, events[1024];
    epoll_ctl(poll, EPOLL_CTL_ADD, listening, &event);
    for (;;) {
        long long left = first == last ? -1 : waiting[first % WAITING].due - now_us();
        int found = epoll_wait(poll, events, 1024, first == last ? -1 : left <= 0 ? 0 : (int)((left + 999) / 1000));
        for (int i = 0; i < found; i++) {
            if (events[i].data.fd != listening) { heard(events[i].data.fd, delay_us); continue; }
            int new;
            while ((new = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                if (new >= CONNECTIONS) { close(new); continue; }
                setsockopt(new, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                event = (struct epoll_event){.events = EPOLLIN, .data.fd = new};
                epoll_ctl(poll, EPOLL_CTL_ADD, new, &event);
            }
        }
        for (long long now = now_us(); first != last && waiting[first % WAITING].due <= now; first++) {
            struct answer *a = &waiting[first % WAITING];
            if (connections[a->socket].generation != a->generation) continue;
            const char *data = a->stream ? streamed : whole;
            int length = a->stream ? streamed_length : whole_length;
            if (send(a->socket, data, length, MSG_NOSIGNAL) != length) drop(a->socket);
        }
    }
}
