/* SPDX-License-Identifier: Apache-2.0 */
/* card_exit.h - exit status of relecture-card: why a card worker ended, for its supervisor and for scripts.
 */
#ifndef DRIVER_CARD_EXIT_H
#define DRIVER_CARD_EXIT_H

enum card_exit {
    CARD_EXIT_OK = 0,       /* the server closed the socket */
    CARD_EXIT_USAGE = 2,    /* wrong arguments */
    CARD_EXIT_LIBRARY = 10, /* no XRT core library, or no runner library */
    CARD_EXIT_NO_CARD = 11, /* no such card, or it refuses to open */
    CARD_EXIT_XCLBIN = 12,  /* unreadable, or not ours */
    CARD_EXIT_MODEL = 13,   /* unreadable, damaged, of a kind this worker does not run */
    CARD_EXIT_MEMORY = 14,
    CARD_EXIT_PROTOCOL = 20, /* the server sent something impossible */
    CARD_EXIT_HUNG = 21,     /* a run did not answer in time; its buffers are the card's for ever */
    CARD_EXIT_LOST = 22      /* the card stopped answering */
};

#endif
