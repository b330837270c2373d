"""The composer: a pure core that writes the score, beat by beat, and a shell that moves it."""
