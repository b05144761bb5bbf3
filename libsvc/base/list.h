/* Singly linked lists with a pointer to the last element, which appends use. */
#ifndef SVC_BASE_LIST_H
#define SVC_BASE_LIST_H

/*
 * Appends the elements from `head` to `tail`, which are linked by `next`, to the list that begins
 * at `first` and ends at `last`, both NULL in an empty list. One element is both head and tail.
 */
#define LIST_APPEND(first, last, head, tail)                                                       \
    do {                                                                                           \
        *((last) ? &(last)->next : &(first)) = (head);                                             \
        (last) = (tail);                                                                           \
    } while (0)

#endif
