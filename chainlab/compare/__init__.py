"""Two runs side by side: which steps correspond, which differ, and in what. Two traces in, frozen data out."""
