"""What a play shows once, two programs and their members on a busy machine may have done by chance.

httpd's processes write their log lines when they come to it, a member sees bytes when the system
hands them over, and no play holds all of that still. So a complaint counts when it comes again: the
scenario is played twice more, and only if both plays are without a complaint was the first one
chance. That is said aloud, as a warning in the summary of the run, because a program that differs
once in a hundred plays looks the same: whoever sees a scenario's name there again plays it in a
loop (replay.py --times).
"""

import warnings

AGREE_IN_A_ROW = 2


class OnceOnly(UserWarning):
    pass


def settled(name, complaint, play_again):
    """`complaint` of the first play, or ''; `play_again()` gives that of one more play."""
    if not complaint:
        return ""
    for _ in range(AGREE_IN_A_ROW):
        again = play_again()
        if again:
            return again
    warnings.warn(OnceOnly(f"{name} differed once, and not in {AGREE_IN_A_ROW} more plays:\n{complaint}"))
    return ""
